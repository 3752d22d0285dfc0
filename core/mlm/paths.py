"""What a path in the project file names: a file, a folder of files, or a pattern such as `corpus/*.jsonl.zst`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_MAGIC = re.compile(r"[*?[]")


def is_pattern(path: Path) -> bool:
    """Say whether a path is a pattern: a file of that very name comes first."""
    return bool(_MAGIC.search(str(path))) and not path.exists()


def files_at(path: Path) -> list[tuple[str, Path]]:
    """Return (name, file) of all that a path names, by name.

    Names are relative to the folder, or to the part of a pattern before its first `*`, `?` or `[`; a single file has
    its own. Hidden files of a folder are left out. A folder that links lead to twice is read once.
    """
    if is_pattern(path):
        return sorted(_matched(path))
    if not path.is_dir():
        return [(path.name, path)]
    return sorted((file.relative_to(path).as_posix(), file) for file in _below(path, set()))


def _matched(pattern: Path) -> Iterator[tuple[str, Path]]:
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    base = Path(*parts[:first])
    for file in base.glob(str(Path(*parts[first:]))):
        if not file.is_dir():
            yield file.relative_to(base).as_posix(), file


def _below(folder: Path, seen: set[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    for name in sorted(os.listdir(folder)):
        if name.startswith("."):
            continue
        path = folder / name
        # A link that leads to itself is neither: it is given as a file, and whoever opens it names it.
        if path.is_dir():
            yield from _below(path, seen)
        else:
            yield path
