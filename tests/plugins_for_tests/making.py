"""Distributions made on the spot: metadata that mlm discovers, and the module behind it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent


def distribution(
    folder: Path, name: str, points: dict[str, str], code: str = "", *, version: str = "1.0", requires: str = ""
) -> Path:
    """Write a distribution as pip would install it, and return the folder, to be put on the path.

    Args:
        folder: Where it is installed.
        name: Its name; its module has the same name, with underscores.
        points: `kind/name` -> attribute of the module, perhaps with extras: `Trainer [train]`.
        code: The module.
        requires: Further lines of its metadata.
    """
    module = name.replace("-", "_")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(dedent(code), encoding="utf-8")
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
    groups: dict[str, list[str]] = {}
    for point, target in points.items():
        kind, _, short = point.partition("/")
        groups.setdefault(kind, []).append(f"{short} = {module}:{target}")
    text = "\n".join(f"[mlm.{kind}]\n" + "\n".join(lines) for kind, lines in groups.items())
    (info / "entry_points.txt").write_text(text + "\n")
    return folder
