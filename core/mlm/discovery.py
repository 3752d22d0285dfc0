"""Which plugins are installed, read from the metadata of distributions; nothing of theirs is imported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from typing import Literal

from attrs import frozen

from mlm.remembering import remembered

ALLOW, DENY = "MLM_PLUGINS_ALLOW", "MLM_PLUGINS_DENY"
"""Variables that add to the rules of the project, with commas between patterns."""
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
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

    allow: tuple[str, ...] = ()
    """Only these, where there are any."""
    deny: tuple[str, ...] = ()
    """Not these, whatever is allowed."""

    @classmethod
    def of(cls, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> Rules:
        """Join the rules of a project with those of the environment."""
        return cls((*allow, *_listed(ALLOW)), (*deny, *_listed(DENY)))

    def refusal(self, ref: PluginRef) -> str:
        """Return why a plugin may not be used; nothing where it may."""
        # Denying is generous, allowing is not: a pattern that says less than it should must not let anything in.
        short = (f"{ref.kind}/{ref.name}", ref.name)
        denied = next((pattern for pattern in self.deny if _matches(ref, pattern, *short)), None)
        if denied is not None:
            return f'`deny` has "{denied}"'
        if self.allow and not any(_matches(ref, pattern) for pattern in self.allow):
            return f"`allow` has only {', '.join(self.allow)}"
        return ""


def installed(kinds: Iterable[str]) -> list[PluginRef]:
    """List the plugins of those kinds, by kind, name and distribution."""
    return sorted(_entry_points(kinds), key=lambda ref: (ref.kind, ref.name, ref.distribution))


def _entry_points(kinds: Iterable[str]) -> Iterator[PluginRef]:
    groups = {f"mlm.{kind}": kind for kind in kinds}
    seen = set()
    for found in distributions():
        points = [point for point in found.entry_points if point.group in groups]
        if not points:
            continue
        # Each reading of these two parses the distribution's whole metadata.
        name, version = found.metadata["Name"], found.version
        # An editable install beside a stale one is found twice; the first is what Python imports.
        if name in seen:
            continue
        seen.add(name)
        for point in points:
            target = point.value.partition("[")[0].strip()
            yield PluginRef(groups[point.group], point.name, name, version, target, tuple(point.extras))


def lacking(ref: PluginRef) -> list[str]:
    """List the distributions that a plugin's extras ask for and that are not installed.

    A variant of an extra stands in for it: `onnx-gpu` for `onnx`.
    """
    return list(dict.fromkeys(name for extra in ref.extras for name in _missing_of(ref.distribution, extra)))


def remedy(ref: PluginRef) -> str:
    """Return the line that installs what a plugin lacks."""
    return f"pip install '{ref.distribution}[{','.join(ref.extras)}]'"


@remembered
def _missing_of(name: str, extra: str) -> tuple[str, ...]:
    missing, found = _missing(name, extra), _distribution(name)
    provided = (found.metadata.get_all("Provides-Extra") or []) if missing and found else []
    variants = [other for other in provided if other.startswith(f"{extra}-")]
    return () if any(not _missing(name, variant) for variant in variants) else missing


@remembered
def _missing(name: str, extra: str) -> tuple[str, ...]:
    found = _distribution(name)
    missing: dict[str, None] = {}
    for line in (found.requires if found else None) or []:
        wanted, _, marker = line.partition(";")
        named, parts = _EXTRA.search(marker), _REQUIREMENT.match(wanted)
        if not named or named[1] != extra or not parts:
            continue
        other, extras = parts[1], [part.strip() for part in (parts[2] or "").split(",") if part.strip()]
        if _distribution(other) is None:
            missing[other] = None
        for further in extras:
            if (other, further) != (name, extra):
                missing |= dict.fromkeys(_missing(other, further))
    return tuple(missing)


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
