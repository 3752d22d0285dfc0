"""What the extras of a distribution ask for, and is not installed: read from metadata alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from mlm.installed import normal

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_EXTRA_ALONE = re.compile(r"\s*extra\s*==\s*['\"]([^'\"]+)['\"]\s*")


class Missing:
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
            parts = _REQUIREMENT.match(wanted)
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
    if alone := _EXTRA_ALONE.fullmatch(marker):
        return normal(alone[1]) == normal(extra)
    from packaging.markers import InvalidMarker, Marker

    try:
        read = Marker(marker)
    except InvalidMarker:
        return False
    return read.evaluate({"extra": normal(extra)}) and not read.evaluate({"extra": ""})


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
