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

_FORMAT = 1
_SETTLED_NS = 2_000_000_000
_REQUIREMENT = r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?"
_EXTRA_ALONE = r"\s*extra\s*==\s*['\"]([^'\"]+)['\"]\s*"
Point = dict[str, Any]
"""kind, name, distribution, version, target, extras, and what of the extras is missing."""


def points() -> list[Point]:
    """List all plugins: entry points in a group `mlm.<kind>`, by kind, name and distribution."""
    folders = [path or os.getcwd() for path in sys.path]
    place = _place(folders)
    remembered = _recalled(place, folders)
    if remembered is not None:
        return remembered
    began = time.time_ns()
    found, files = _read()
    _remember(place, folders, files, found, began)
    return found


def normal(name: str) -> str:
    """Write a name as package indexes compare it: `Acme_Train` is `acme-train`."""
    return re.sub(r"[-_.]+", "-", name).casefold()


def _place(folders: Sequence[str]) -> Path:
    """Return where is remembered what these folders hold (XDG base directories 0.8)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256("\0".join([sys.executable, sys.version, *folders]).encode("utf-8", "surrogateescape"))
    return cache / "mlm" / f"plugins-{key.hexdigest()[:24]}.json"


def _recalled(place: Path, folders: Sequence[str]) -> list[Point] | None:
    try:
        kept = json.loads(place.read_bytes())
        if kept["format"] == _FORMAT and kept["folders"] == _times(folders) and kept["files"] == _times(kept["files"]):
            return list(kept["points"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # It is read anew.
    return None


def _remember(place: Path, folders: Sequence[str], files: Sequence[str], found: list[Point], began: int) -> None:
    times = _times(folders)
    if any(at is not None and at > began - _SETTLED_NS for at in times.values()):
        return
    kept = {"format": _FORMAT, "folders": times, "files": _times(files), "points": found}
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


def _read() -> tuple[list[Point], list[str]]:
    """Read the plugins, and name the files that they were read from."""
    from importlib.metadata import distributions

    found: list[Point] = []
    files: list[str] = []
    seen = set()
    for distribution in distributions():
        some = _points_of(distribution)
        # An editable install beside a stale one is found twice; the first is what Python imports.
        if some and normal(some[0]["distribution"]) not in seen:
            seen.add(normal(some[0]["distribution"]))
            found += some
            files += _files_of(distribution)
    missing = _Missing()
    for point in found:
        point["missing"] = missing.of(point["distribution"], point["extras"]) if point["extras"] else []
    return sorted(found, key=lambda point: (point["kind"], point["name"], point["distribution"])), files


def _points_of(distribution: Distribution) -> list[Point]:
    """Read a distribution's plugins; none where its metadata is broken, which must not hide all others."""
    try:
        entries = [entry for entry in distribution.entry_points if entry.group.startswith("mlm.")]
        if not entries:
            return []
        # Each reading of these two parses the distribution's whole metadata.
        name, version = str(distribution.metadata["Name"]), str(distribution.version)
        return [
            {
                "kind": entry.group.removeprefix("mlm."),
                "name": entry.name,
                "distribution": name,
                "version": version,
                "target": entry.value.partition("[")[0].strip(),
                "extras": list(entry.extras),
            }
            for entry in entries
        ]
    except Exception:
        return []


def _files_of(distribution: Distribution) -> Iterator[str]:
    folder = getattr(distribution, "_path", None)
    if folder is not None:
        yield from (str(folder.joinpath(name)) for name in ("entry_points.txt", "METADATA"))


class _Missing:
    """What extras ask for and is not installed; each question is answered once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[str]] = {}

    def of(self, name: str, extras: Sequence[str]) -> list[str]:
        """List the distributions that some extras of a distribution lack.

        The variant of an extra for accelerators stands in for it: `onnx-gpu` for `onnx`.
        """
        return list(dict.fromkeys(lacked for extra in extras for lacked in self._or_variant(name, extra)))

    def _or_variant(self, name: str, extra: str) -> list[str]:
        missing, found = self._lacked(name, extra), _distribution(name)
        provided = (found.metadata.get_all("Provides-Extra") or []) if missing and found else []
        return [] if f"{extra}-gpu" in provided and not self._lacked(name, f"{extra}-gpu") else missing

    def _lacked(self, name: str, extra: str) -> list[str]:
        if (name, extra) not in self._known:
            self._known[name, extra] = []  # An extra that asks for itself asks for nothing more.
            self._known[name, extra] = list(dict.fromkeys(self._asked_for(name, extra)))
        return self._known[name, extra]

    def _asked_for(self, name: str, extra: str) -> Iterator[str]:
        found = _distribution(name)
        for line in (found.requires if found else None) or []:
            wanted, _, marker = line.partition(";")
            parts = re.match(_REQUIREMENT, wanted)
            if not parts or not _asked(marker, extra):
                continue
            if _distribution(parts[1]) is None:
                yield parts[1]
            for further in (part.strip() for part in (parts[2] or "").split(",") if part.strip()):
                yield from self._lacked(parts[1], further)


def _asked(marker: str, extra: str) -> bool:
    """Say whether a requirement with that marker belongs to an extra, on this machine."""
    if "extra" not in marker:
        return False
    if alone := re.fullmatch(_EXTRA_ALONE, marker):
        return normal(alone[1]) == normal(extra)
    from packaging.markers import InvalidMarker, Marker

    try:
        read = Marker(marker)
    except InvalidMarker:
        return False
    return read.evaluate({"extra": normal(extra)}) and not read.evaluate({"extra": ""})


def _distribution(name: str) -> Distribution | None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
