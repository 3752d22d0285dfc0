"""Which version was behind an alias or a deployment, and when."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from mlm.errors import MlmError
from mlm_registry import NotFound, Registry


@frozen
class AliasMove:
    """One move of an alias."""

    at: float
    version: str
    by: str
    reason: str


@frozen
class Served:
    """What a deployment should have served at a moment: its revision, in force since and until, in epoch seconds."""

    deployment: str
    revision: int
    since: float
    until: float | None
    """None: it is in force still."""
    version: str
    share: float
    responses: int
    """Responses that the version gave while the revision was in force."""


def alias_history(registry: Registry, alias: str) -> list[AliasMove]:
    """List every move of an alias, newest first; NotFound where there is none."""
    moves = registry.models.history(alias)
    if not moves:
        known = ", ".join(found.name for found in registry.models.aliases()) or "none yet"
        raise NotFound(f"no alias is named {alias!r} (aliases: {known})")
    return [AliasMove(m.at, registry.node(m.node).ref, m.by, m.reason) for m in moves]


def who_served(registry: Registry, at: float) -> list[Served]:
    """Say what every deployment served at a moment, by its revision in force then."""
    found = []
    for name in registry.deployments.names():
        later: float | None = None
        for revision in registry.deployments.history(name):
            if revision.at <= at:
                for arm in revision.arms:
                    count = registry.exchanges.count(deployment=name, node=arm.node, revision=revision.revision)
                    ref = registry.node(arm.node).ref
                    found.append(Served(name, revision.revision, revision.at, later, ref, arm.share, count))
                break
            later = revision.at
    return found


def moment(text: str) -> float:
    """Read a time as ISO 8601 writes it, in the local zone where it names none, as epoch seconds."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise MlmError(f"{text!r} is no time; expected ISO 8601, such as 2026-05-01T12:00:00+02:00") from None
