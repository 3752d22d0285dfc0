"""What plugins of the living system take and give: windows, signals, proposals, candidates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from mlm.artifacts import Dataset, Model
from mlm.measures import Measure
from mlm.serving import Guard, Postprocessor, Rollout
from mlm.verdicts import Verdict
from mlm_registry import Arm, Exchange, Feedback, Judgement, ModelVersion, Score


@frozen
class Window:
    """The exchanges of a deployment over some time; `node` narrows it to one model version."""

    deployment: str
    exchanges: tuple[Exchange, ...]
    feedback: Mapping[str, Feedback] = field(factory=dict)
    """Newest feedback by exchange id."""
    node: int | None = None


@frozen
class Signal:
    """A monitored measure; `verdict` is its requirement's set-point judged on it, where there is one."""

    measure: Measure
    deployment: str
    node: int | None = None
    verdict: Verdict | None = None

    @property
    def metric(self) -> str:
        return self.measure.metric


@frozen
class Proposal:
    """What an improver suggests: data to add to data steps, settings to change, and why."""

    title: str
    reason: str
    plan: tuple[str, ...]
    add: Mapping[str, Dataset] = field(factory=dict)
    set: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    evidence: Mapping[str, Any] = field(factory=dict)


@frozen
class Candidate:
    """A model version that wants to be promoted, with all that is known of it."""

    version: ModelVersion
    model: Model
    action: Literal["promote", "admit"]
    scores: tuple[Score, ...] = ()
    gates: tuple[Judgement, ...] = ()
    ancestors: tuple[ModelVersion, ...] = ()


@frozen
class Living:
    """A model version that a retirement trigger assesses."""

    version: ModelVersion
    share: float
    """Present share of all traffic of the deployments that serve it, 0 to 1."""
    successor: ModelVersion | None = None
    successor_share: float = 0.0
    signals: tuple[Signal, ...] = ()
    age_seconds: float = 0.0


@frozen
class Desired:
    """What a target should bring about: arms of model versions, behind guards and postprocessors."""

    deployment: str
    revision: int
    arms: tuple[Arm, ...]
    registry: Path
    server: str = ""
    guards: tuple[Guard, ...] = ()
    postprocessors: tuple[Postprocessor, ...] = ()
    rollout: Rollout | None = None


@frozen
class Observed:
    """What a target says of itself: which revision it serves, where, since when."""

    revision: int
    url: str = ""
    ready: bool = False
    detail: str = ""
