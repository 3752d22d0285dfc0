"""Which version was behind an alias or a deployment, and when."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import accumulate
from math import inf

from attrs import frozen

from mlm.errors import MlmError
from mlm_registry import Deployment, NotFound, Registry


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
    """Responses that the version gave while the revision was in force; failures are none."""
    certain: bool
    """Whether the clock tells that the revision was in force: it does not where it went back."""


def alias_history(registry: Registry, alias: str) -> list[AliasMove]:
    """List every move of an alias, newest first; NotFound where there is none."""
    moves = registry.models.history(alias)
    if not moves:
        known = ", ".join(found.name for found in registry.models.aliases()) or "none yet"
        raise NotFound(f"no alias is named {alias!r} (aliases: {known})")
    return [AliasMove(m.at, registry.node(m.node).ref, m.by, m.reason) for m in moves]


def who_served(registry: Registry, at: float) -> list[Served]:
    """Say what every deployment served at a moment, by its revision in force then; of one to come, what it does now.

    Revisions are in the order in which they were written. Where the clock went back between two of them, their times
    say nothing: every revision that may have been in force is listed, as not certain.
    """
    found, to_come = [], is_to_come(registry, at)
    for name in registry.deployments.names():
        history = registry.deployments.history(name)[::-1]
        for revision, until, certain in [(history[-1], None, True)] if to_come else _in_force(history, at):
            for arm in revision.arms:
                count = registry.exchanges.count(
                    deployment=name, node=arm.node, revision=revision.revision, answered=True
                )
                ref = registry.node(arm.node).ref
                served = Served(name, revision.revision, revision.at, until, ref, arm.share, count, certain)
                found.append(served)
    return found


def is_to_come(registry: Registry, at: float) -> bool:
    """Say whether a moment is later than now, and than every revision: the clock may be behind."""
    newest = (found.at for name in registry.deployments.names() for found in registry.deployments.history(name))
    return at > max([time.time(), *newest])


def _in_force(history: list[Deployment], at: float) -> list[tuple[Deployment, float | None, bool]]:
    """Return the revisions, of all oldest first, that were or may have been in force, each with its end."""
    starts = _starts(history)
    ends = [*starts[1:], (inf, inf)]
    found = []
    for place, (revision, start, end) in enumerate(zip(history, starts, ends, strict=True)):
        if start[0] <= at < end[1]:
            until = history[place + 1].at if place + 1 < len(history) else None
            found.append((revision, until, start[1] <= at < end[0]))
    return found


def _starts(history: list[Deployment]) -> list[tuple[float, float]]:
    """Return between which times each revision began: where the clock went back, those of its neighbours."""
    times = [revision.at for revision in history]
    latest, soonest = list(accumulate(times, max)), list(accumulate(times[::-1], min))[::-1]
    sure = [before == time == after for before, time, after in zip(latest, times, soonest, strict=True)]
    return [
        (
            max((times[i] for i in range(place + 1) if sure[i]), default=-inf),
            min((times[i] for i in range(place, len(times)) if sure[i]), default=inf),
        )
        for place in range(len(times))
    ]


def moment(text: str) -> float:
    """Read a time as ISO 8601 writes it, in the local zone where it names none, as epoch seconds."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise MlmError(f"{text!r} is no time; expected ISO 8601, such as 2026-05-01T12:00:00+02:00") from None
