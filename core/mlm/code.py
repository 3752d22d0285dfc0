"""The code of a plugin: its module, and what that imports of its own distribution, directly or not.

Read from the text of the files, so that it holds for what a hook imports only when it runs.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

from mlm.remembering import remembered

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>\.*[\w.]*)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n]*)"
    r"|import[ \t]+(?P<plain>[^\n]*))",
    re.MULTILINE,
)
_WORD = re.compile(r"[\w.]+")


def code_files(cls: type[Any]) -> tuple[Path, ...]:
    """List the files that a plugin's code is in, its own first."""
    return _closure(cls.__module__, inspect.getfile(cls))


@remembered
def code_digest(cls: type[Any]) -> str:
    """Return one SHA-256 for a plugin's code."""
    found = hashlib.sha256()
    for file in sorted(code_files(cls)):
        found.update(f"{file.name}\0{file_digest(str(file))}\0".encode())
    return found.hexdigest()


@remembered
def file_digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@remembered
def _closure(module: str, file: str) -> tuple[Path, ...]:
    root = module.partition(".")[0]
    folder = _folder(root)
    found = {Path(file): None}
    waiting = [(module, Path(file))]
    while waiting and folder is not None:
        name, path = waiting.pop()
        for other in _imported(name, path, root):
            place = _file(folder, other)
            if place is not None and place not in found:
                found[place] = None
                waiting.append((other, place))
    return tuple(found)


def _folder(root: str) -> Path | None:
    """Return where a package lies; None for a module alone."""
    paths = list(getattr(sys.modules.get(root), "__path__", []))
    return Path(paths[0]) if paths else None


def _imported(module: str, path: Path, root: str) -> set[str]:
    """Return the names of modules of the same package that a file imports, and some that are none."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for one in _IMPORT.finditer(path.read_text(encoding="utf-8", errors="replace")):
        if one["plain"] is not None:
            found.update(part.split()[0] for part in one["plain"].split(",") if part.split())
            continue
        dots = len(one["module"]) - len(one["module"].lstrip("."))
        parts = package.split(".")[: len(package.split(".")) - dots + 1] if dots else []
        base = ".".join([*parts, *([one["module"].lstrip(".")] if one["module"].strip(".") else [])])
        # A name that is imported may be a module of its own.
        found.add(base)
        found.update(f"{base}.{name}" for name in _WORD.findall(one["names"]))
    return {name for name in found if name == root or name.startswith(f"{root}.")}


def _file(folder: Path, module: str) -> Path | None:
    parts = module.split(".")[1:]
    if not parts:
        return None
    for place in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
        if place.is_file():
            return place
    return None
