"""Which plugins installed distributions offer, read from their metadata and remembered until something is installed.

Standard library only, and importlib.metadata only where nothing is remembered: this is on the way of every command.
What is remembered holds for as long as the folders of `sys.path` and the metadata files that named plugins have the
times that they had. A folder that has changed a moment ago may change again unseen, so nothing is remembered of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_FORMAT = 2
_SETTLED_NS = 2_000_000_000
Point = dict[str, Any]
"""kind, name, distribution, version, target, extras, and what of the extras is missing."""


def points() -> list[Point]:
    """List all plugins: entry points in a group `mlm.<kind>`, by kind, name and distribution."""
    return list(_known()["points"])


def unreadable() -> dict[str, str]:
    """Return why metadata cannot be read, by its folder; what plugins lie behind it, nobody can tell."""
    return dict(_known()["unreadable"])


def _known() -> dict[str, Any]:
    """Return what is installed, from memory where that still holds."""
    folders = [path or os.getcwd() for path in sys.path]
    place = _place(folders)
    remembered = _recalled(place, folders)
    if remembered is not None:
        return remembered
    began = time.time_ns()
    found, unread, files = _read()
    known = {"points": found, "unreadable": unread}
    _remember(place, folders, files, known, began)
    return known


def normal(name: str) -> str:
    """Write a name as package indexes compare it: `Acme_Train` is `acme-train`."""
    return re.sub(r"[-_.]+", "-", name).casefold()


def _place(folders: Sequence[str]) -> Path:
    """Return where is remembered what these folders hold (XDG base directories 0.8)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256("\0".join([sys.executable, sys.version, *folders]).encode("utf-8", "surrogateescape"))
    return cache / "mlm" / f"plugins-{key.hexdigest()[:24]}.json"


def _recalled(place: Path, folders: Sequence[str]) -> dict[str, Any] | None:
    try:
        kept = json.loads(place.read_bytes())
        if kept["format"] == _FORMAT and kept["folders"] == _times(folders) and kept["files"] == _times(kept["files"]):
            return dict(kept["known"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # It is read anew.
    return None


def _remember(place: Path, folders: Sequence[str], files: Sequence[str], known: dict[str, Any], began: int) -> None:
    times = _times(folders)
    if any(at is not None and at > began - _SETTLED_NS for at in times.values()):
        return
    kept = {"format": _FORMAT, "folders": times, "files": _times(files), "known": known}
    part = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(part, place)
    except (OSError, ValueError):
        pass  # The next command reads the metadata again.


def _times(paths: Sequence[str] | dict[str, int]) -> dict[str, int | None]:
    return {path: _time(path) for path in paths}


def _time(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _read() -> tuple[list[Point], dict[str, str], list[str]]:
    """Read the plugins, say what cannot be read, and name the files that all was read from."""
    from importlib.metadata import distributions

    from mlm.lacking import Missing

    found: list[Point] = []
    unread: dict[str, str] = {}
    files: list[str] = []
    seen = set()
    for distribution in distributions():
        try:
            some = _points_of(distribution)
        except Exception as error:
            # Broken metadata must not hide the plugins of all others.
            some, files = [], [*files, *_files_of(distribution)]
            if _may_have_plugins(distribution):
                unread[str(getattr(distribution, "_path", distribution))] = f"{type(error).__name__}: {error}"
        # An editable install beside a stale one is found twice; the first is what Python imports.
        if some and normal(some[0]["distribution"]) not in seen:
            seen.add(normal(some[0]["distribution"]))
            found += some
            files += _files_of(distribution)
    missing = Missing()
    for point in found:
        point["missing"] = missing.of(point["distribution"], point["extras"]) if point["extras"] else []
    return sorted(found, key=lambda point: (point["kind"], point["name"], point["distribution"])), unread, files


def _points_of(distribution: Distribution) -> list[Point]:
    """Read a distribution's plugins; raises whatever its metadata gives rise to where that is broken."""
    entries = [entry for entry in distribution.entry_points if entry.group.startswith("mlm.")]
    if not entries:
        return []
    # Each reading of the metadata parses the whole of it.
    metadata = distribution.metadata
    lacking = [key for key in ("Name", "Version") if key not in metadata]
    if lacking:
        raise ValueError(f"METADATA has no {lacking[0]}")
    return [
        {
            "kind": entry.group.removeprefix("mlm."),
            "name": entry.name,
            "distribution": metadata["Name"],
            "version": metadata["Version"],
            "target": entry.value.partition("[")[0].strip(),
            "extras": list(entry.extras),
        }
        for entry in entries
    ]


def _may_have_plugins(distribution: Distribution) -> bool:
    """Say whether plugins of mlm may lie behind broken metadata; what others have broken is theirs."""
    try:
        return b"[mlm." in Path(next(_files_of(distribution))).read_bytes()
    except (OSError, StopIteration):
        return True


def _files_of(distribution: Distribution) -> Iterator[str]:
    folder = getattr(distribution, "_path", None)
    if folder is not None:
        yield from (str(folder.joinpath(name)) for name in ("entry_points.txt", "METADATA"))
