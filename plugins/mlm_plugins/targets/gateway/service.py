"""What every request of the gateway shares."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

from mlm.serving import Guard, Postprocessor
from mlm_plugins.targets.gateway.guarding import Decision
from mlm_plugins.targets.gateway.metrics import Metrics
from mlm_plugins.targets.gateway.recorder import Recorder
from mlm_plugins.targets.gateway.requests import Defaults
from mlm_registry import Feedback

if TYPE_CHECKING:
    from mlm_plugins.targets.gateway.fleet import Fleet
    from mlm_registry import Registry


@frozen
class Service:
    """The parts that answer requests, and the limits that they keep."""

    deployment: str
    fleet: Fleet
    registry: Registry
    recorder: Recorder
    defaults: Defaults
    guards: Sequence[Guard] = ()
    postprocessors: Sequence[Postprocessor] = ()
    metrics: Metrics = field(factory=Metrics)
    refusal: str = "I cannot help with that."
    usd_per_second: float = 0.0
    max_body_bytes: int = 2**20
    request_timeout_seconds: float = 120.0
    guard_timeout_seconds: float = 2.0
    retry_seconds: int = 1
    started: float = field(factory=time.time)

    @property
    def versions(self) -> str:
        """The model versions served now, for answers that come from none of them."""
        return ", ".join(self.fleet.roster.shares) or "none"

    def heard(self, decision: Decision) -> None:
        """Count a guard's decision."""
        metrics = self.metrics
        metrics.guards.add(1, decision["guard"], decision["direction"], decision["action"], decision["code"])

    def measured(self) -> str:
        """Write the metrics as they stand."""
        metrics, roster = self.metrics, self.fleet.roster
        metrics.running.set({(arm.ref,): arm.running for arm in roster.loaded.values()})
        metrics.shares.set({(ref,): share for ref, share in roster.shares.items()})
        metrics.revision.set({(self.deployment,): roster.revision})
        metrics.unwritten.set({(): self.recorder.waiting})
        metrics.lost.set({(): self.recorder.lost})
        return metrics.render()

    def health(self) -> tuple[int, Mapping[str, object]]:
        """Say whether requests can be answered, as a status and its explanation."""
        roster = self.fleet.roster
        state = "draining" if self.fleet.draining else "ok" if roster.arms else "no model"
        body = {"status": state, "revision": roster.revision, "arms": roster.shares, "error": roster.error}
        return 200 if state == "ok" else 503, body

    def rate(self, feedback: Feedback) -> None:
        """Store what a person said of a response; NotFound where no such response is recorded. Blocks."""
        self.recorder.flush()
        self.registry.exchanges.get(feedback.exchange)
        self.registry.exchanges.feedback(feedback)
