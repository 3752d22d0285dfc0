"""Which plugins are installed, read from the metadata of distributions; nothing of theirs is imported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from typing import Literal

from attrs import frozen

from mlm.remembering import remembered

ALLOW, DENY = "MLM_PLUGINS_ALLOW", "MLM_PLUGINS_DENY"
"""Variables that add to the rules of the project, with commas between patterns."""
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_EXTRA_ALONE = re.compile(r"\s*extra\s*==\s*['\"]([^'\"]+)['\"]\s*")
State = Literal["ready", "lacks", "denied", "conflict"]


@frozen
class PluginRef:
    """A plugin as its distribution's metadata names it."""

    kind: str
    name: str
    distribution: str
    version: str
    target: str
    extras: tuple[str, ...] = ()
    """Extras of its distribution without which it cannot work: `sft = "acme.sft:SFT [train]"`."""

    @property
    def identity(self) -> str:
        return f"{self.distribution}:{self.kind}/{self.name}"


@frozen
class Rules:
    """Which plugins may be used: patterns on a distribution's name, or on `distribution:kind/name`."""

    allow: tuple[tuple[str, ...], ...] = ()
    """Lists of which each must have a plugin."""
    deny: tuple[str, ...] = ()
    """Not these, whatever is allowed."""

    @classmethod
    def of(cls, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> Rules:
        """Join the rules of a project with those of the environment; neither widens the other."""
        lists = [tuple(allow), tuple(_listed(ALLOW))]
        # A variable that is set and names nothing allows nothing.
        given = [one for one, asked in zip(lists, (bool(lists[0]), ALLOW in os.environ), strict=True) if asked]
        return cls(tuple(given), (*deny, *_listed(DENY)))

    def refusal(self, ref: PluginRef) -> str:
        """Return why a plugin may not be used; nothing where it may."""
        # Denying is generous, allowing is not: a pattern that says less than it should must not let anything in.
        short = (f"{ref.kind}/{ref.name}", f"{ref.distribution}/{ref.name}", ref.name)
        denied = next((pattern for pattern in self.deny if _matches(ref, pattern, *short)), None)
        if denied is not None:
            return f'`deny` has "{denied}"'
        for allowed in self.allow:
            if not any(_matches(ref, pattern) for pattern in allowed):
                return f"`allow` has only {', '.join(allowed) or 'nothing'}"
        return ""


def installed(kinds: Iterable[str]) -> list[PluginRef]:
    """List the plugins of those kinds, by kind, name and distribution."""
    return sorted(_entry_points(kinds), key=lambda ref: (ref.kind, ref.name, ref.distribution))


def _entry_points(kinds: Iterable[str]) -> Iterator[PluginRef]:
    groups = {f"mlm.{kind}": kind for kind in kinds}
    seen = set()
    for found in distributions():
        refs = _refs(found, groups)
        # An editable install beside a stale one is found twice; the first is what Python imports.
        if refs and normal(refs[0].distribution) not in seen:
            seen.add(normal(refs[0].distribution))
            yield from refs


def _refs(found: Distribution, groups: Mapping[str, str]) -> list[PluginRef]:
    """Read a distribution's plugins; none where its metadata is broken, which must not hide all others."""
    try:
        points = [point for point in found.entry_points if point.group in groups]
        if not points:
            return []
        # Each reading of these two parses the distribution's whole metadata.
        name, version = str(found.metadata["Name"]), str(found.version)
        return [
            PluginRef(
                groups[one.group], one.name, name, version, one.value.partition("[")[0].strip(), tuple(one.extras)
            )
            for one in points
        ]
    except Exception:
        return []


def lacking(ref: PluginRef) -> list[str]:
    """List the distributions that a plugin's extras ask for and that are not installed.

    The variant of an extra for accelerators stands in for it: `onnx-gpu` for `onnx`.
    """
    return list(dict.fromkeys(name for extra in ref.extras for name in _missing_of(ref.distribution, extra)))


def remedy(ref: PluginRef) -> str:
    """Return the line that installs what a plugin lacks."""
    return f"pip install '{ref.distribution}[{','.join(ref.extras)}]'"


@remembered
def _missing_of(name: str, extra: str) -> tuple[str, ...]:
    missing, found = _missing(name, extra), _distribution(name)
    provided = (found.metadata.get_all("Provides-Extra") or []) if missing and found else []
    variants = [other for other in provided if other == f"{extra}-gpu"]
    return () if any(not _missing(name, variant) for variant in variants) else missing


@remembered
def _missing(name: str, extra: str) -> tuple[str, ...]:
    found = _distribution(name)
    missing: dict[str, None] = {}
    for line in (found.requires if found else None) or []:
        wanted, _, marker = line.partition(";")
        parts = _REQUIREMENT.match(wanted)
        if not parts or not _asked(marker, extra):
            continue
        other, extras = parts[1], [part.strip() for part in (parts[2] or "").split(",") if part.strip()]
        if _distribution(other) is None:
            missing[other] = None
        for further in extras:
            if (other, further) != (name, extra):
                missing |= dict.fromkeys(_missing(other, further))
    return tuple(missing)


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


def _listed(variable: str) -> list[str]:
    return [part.strip() for part in os.environ.get(variable, "").split(",") if part.strip()]


def _matches(ref: PluginRef, pattern: str, *further: str) -> bool:
    return any(fnmatchcase(normal(name), normal(pattern)) for name in (ref.distribution, ref.identity, *further))


def normal(name: str) -> str:
    """Write a name as package indexes compare it: `Acme_Train` is `acme-train`."""
    return re.sub(r"[-_.]+", "-", name).casefold()


def parted(name: str, kinds: Iterable[str]) -> tuple[str, str, str]:
    """Take a plugin's name apart: `dpo`, `trainers/dpo`, `acme/dpo` or `acme:trainers/dpo`.

    Returns:
        Distribution, kind and short name; empty where the name does not say.
    """
    head, _, short = name.rpartition("/")
    distribution, colon, kind = head.rpartition(":")
    if colon:
        return distribution, kind, short
    return ("", head, short) if head in kinds else (head, "", short)
