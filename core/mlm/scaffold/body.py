"""What is different from kind to kind."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from attrs import frozen


@frozen
class Body:
    """What a kind's first plugin does: the rest of its module, and of its test class."""

    does: str
    code: str
    imports: tuple[str, ...] = ()
    """Such as `pathlib Path`, or `json` alone."""
    above: str = ""
    """What stands between the imports and the class."""
    test: str = ""
    test_imports: tuple[str, ...] = ()


def written_imports(imports: Iterable[str], first_party: str = "") -> str:
    """Write imports as isort orders them: the standard library, other packages, the distribution's own."""
    names: dict[str, set[str]] = {}
    for one in imports:
        module, _, wanted = one.partition(" ")
        names.setdefault(module, set()).update(wanted.split())
    blocks: list[list[str]] = [[], [], []]
    # Plain imports stand before those of names.
    for module in sorted(names, key=lambda module: (bool(names[module]), module)):
        line = f"from {module} import {', '.join(sorted(names[module]))}" if names[module] else f"import {module}"
        root = module.partition(".")[0]
        blocks[2 if root == first_party else 0 if root in sys.stdlib_module_names else 1].append(line)
    return "\n\n".join("\n".join(block) for block in blocks if block)
