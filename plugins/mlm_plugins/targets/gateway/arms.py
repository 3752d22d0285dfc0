"""One arm of a deployment in this process: an engine, who uses it now, and what that costs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from attrs import field, frozen

from mlm.serving import Engine
from mlm_registry import Arm


class LoadedArm:
    """A model version with its engine."""

    def __init__(self, node: int, ref: str, engine: Engine, on_idle: Callable[[LoadedArm], None]) -> None:
        self.node, self.ref, self.engine = node, ref, engine
        self.running = 0
        self.clock = SharedClock()
        self._on_idle = on_idle

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keep the engine loaded for one request."""
        self.running += 1
        self.clock.enter()
        try:
            yield
        finally:
            self.clock.leave()
            self.running -= 1
            if not self.running:
                self._on_idle(self)


class SharedClock:
    """Shares the time in which an engine was busy among the requests that ran in it.

    With n requests running, each is charged 1/n of every second, so that all charges together are the busy time of
    the engine's one thread. This is processor sharing, the model of time-sharing queues (Kleinrock 1967).
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._running = 0
        self._charged = 0.0
        self._at = now()

    def enter(self) -> None:
        """A request begins."""
        self.read()
        self._running += 1

    def leave(self) -> None:
        """A request ends."""
        self.read()
        self._running -= 1

    def read(self) -> float:
        """Seconds charged so far to a request that has been running since the clock was made."""
        now = self._now()
        if self._running:
            self._charged += (now - self._at) / self._running
        self._at = now
        return self._charged


@frozen
class Roster:
    """Which arms are served now; replaced whole, so that a request sees one state."""

    revision: int = 0
    arms: tuple[Arm, ...] = ()
    loaded: Mapping[int, LoadedArm] = field(factory=dict)
    refused: Mapping[str, str] = field(factory=dict)
    """Model versions that are not served, and the code of each."""

    @property
    def shares(self) -> dict[str, float]:
        """Share of traffic by model version."""
        return {self.loaded[arm.node].ref: arm.share for arm in self.arms}

    @property
    def error(self) -> str | None:
        """Codes of the arms that are not served, for the registry."""
        return "; ".join(f"{ref}: {why}" for ref, why in self.refused.items()) or None

    def named(self, ref: str) -> LoadedArm | None:
        """Find an arm by its model version."""
        return next((arm for arm in self.loaded.values() if arm.ref == ref), None)


def rescaled(arms: Sequence[Arm], served: Mapping[int, object]) -> tuple[Arm, ...]:
    """Give the shares of arms that are not served to the others, in proportion."""
    here = [arm for arm in arms if arm.node in served]
    total = sum(arm.share for arm in here)
    if not total:
        return tuple(Arm(arm.node, 1 / len(here)) for arm in here)
    return tuple(Arm(arm.node, arm.share / total) for arm in here)


def by_share(key: str, arms: Sequence[Arm]) -> Arm:
    """Choose an arm by its share; a key always gets the same one. Used where no rollout is configured."""
    point = int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()) / 2**64
    for arm in arms:
        point -= arm.share
        if point < 0:
            return arm
    return next(arm for arm in reversed(arms) if arm.share)
