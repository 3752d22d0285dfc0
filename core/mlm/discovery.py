"""Installed plugins by their names, and which of them may be used; nothing of theirs is imported."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from attrs import frozen

from mlm.errors import near_miss
from mlm.installed import normal, points

ALLOW, DENY = "MLM_PLUGINS_ALLOW", "MLM_PLUGINS_DENY"
"""Variables that add to the rules of the project, with commas between patterns."""
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
    missing: tuple[str, ...] = ()
    """Distributions that the extras ask for and that are not installed."""

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
        denied = next((pattern for pattern in self.deny if _denies(ref, pattern)), None)
        if denied is not None:
            return f'`deny` has "{denied}"'
        for allowed in self.allow:
            if not any(_allows(ref, pattern) for pattern in allowed):
                return f"`allow` has only {', '.join(allowed) or 'nothing'}"
        return ""

    def idle(self, refs: Sequence[PluginRef]) -> list[str]:
        """Name the patterns that match none of the installed plugins: a slip of the pen keeps nothing out."""
        patterns = [("deny", DENY, _denies, pattern) for pattern in self.deny]
        patterns += [("allow", ALLOW, _allows, pattern) for allowed in self.allow for pattern in allowed]
        names = {name for ref in refs for name in (ref.distribution, ref.identity)}
        return [
            f'`{word}` has "{pattern}", which matches no installed plugin: mend it in [plugins] or {variable}'
            f"{near_miss(pattern, names)}"
            for word, variable, matches, pattern in patterns
            if not any(matches(ref, pattern) for ref in refs)
        ]


def installed(kinds: Iterable[str]) -> list[PluginRef]:
    """List the plugins of those kinds, by kind, name and distribution."""
    wanted = frozenset(kinds)
    return [
        PluginRef(**{**point, "extras": tuple(point["extras"]), "missing": tuple(point["missing"])})
        for point in points()
        if point["kind"] in wanted
    ]


def remedy(ref: PluginRef) -> str:
    """Return the line that installs what a plugin lacks."""
    return f"pip install '{ref.distribution}[{','.join(ref.extras)}]'"


def _listed(variable: str) -> list[str]:
    return [part.strip() for part in os.environ.get(variable, "").split(",") if part.strip()]


# Denying is generous, allowing is not: a pattern that says less than it should must not let anything in.
def _denies(ref: PluginRef, pattern: str) -> bool:
    return _allows(ref, pattern) or _matches(
        pattern, f"{ref.kind}/{ref.name}", f"{ref.distribution}/{ref.name}", ref.name
    )


def _allows(ref: PluginRef, pattern: str) -> bool:
    return _matches(pattern, ref.distribution, ref.identity)


def _matches(pattern: str, *names: str) -> bool:
    return any(fnmatchcase(normal(name), normal(pattern)) for name in names)


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
