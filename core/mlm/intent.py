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
    """The exchanges of a deployment over some time."""

    deployment: str
    """Name of the deployment."""
    exchanges: tuple[Exchange, ...]
    """Requests with their responses, the oldest first."""
    feedback: Mapping[str, Feedback] = field(factory=dict)
    """Newest feedback by exchange id."""
    node: int | None = None
    """Set where the window is of one model version alone."""


@frozen
class Signal:
    """A monitored measure."""

    measure: Measure
    """Of a metric that the monitor's `metrics` name."""
    deployment: str
    """That of the window."""
    node: int | None = None
    """That of the window."""
    verdict: Verdict | None = None
    """Its requirement, judged on it; set by mlm, where there is one."""

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return self.measure.metric


@frozen
class Proposal:
    """What an improver suggests: data to add to data steps, settings to change, and why."""

    title: str
    """What it is, in a few words."""
    reason: str
    """What was seen that asks for it."""
    plan: tuple[str, ...]
    """What will be done, a line a step."""
    add: Mapping[str, Dataset] = field(factory=dict)
    """Data to add, by the data step."""
    set: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    """Settings to change, by table: `{"training.chat": {"steps": 2000}}`."""
    evidence: Mapping[str, Any] = field(factory=dict)
    """What it rests on, as JSON types."""


@frozen
class Candidate:
    """A model version that wants to be promoted, with all that is known of it."""

    version: ModelVersion
    """Its node in the registry, and its state."""
    model: Model
    """Its bytes."""
    action: Literal["promote", "admit"]
    """What is asked."""
    scores: tuple[Score, ...] = ()
    """All that was measured on it."""
    gates: tuple[Judgement, ...] = ()
    """The newest verdict of each gate on it."""
    ancestors: tuple[ModelVersion, ...] = ()
    """The models that it came from."""


@frozen
class Living:
    """A model version that a retirement trigger assesses."""

    version: ModelVersion
    """Its node in the registry, and its state."""
    share: float
    """Present share of all traffic of the deployments that serve it, 0 to 1."""
    successor: ModelVersion | None = None
    """A newer, approved version that has traffic; None where there is none."""
    successor_share: float = 0.0
    """Present share of traffic of the successor, 0 to 1."""
    signals: tuple[Signal, ...] = ()
    """What monitors measured on its traffic."""
    age_seconds: float = 0.0
    """Time since it was made."""


@frozen
class Desired:
    """What a target should bring about: arms of model versions, behind guards and postprocessors."""

    deployment: str
    """Name of the deployment."""
    revision: int
    """Grows with each change of what is desired."""
    arms: tuple[Arm, ...]
    """Nodes to serve, each with its share of traffic."""
    registry: Path
    """Folder of the registry."""
    server: str = ""
    """Server plugin that loads the models; empty means the one that the model names."""
    guards: tuple[Guard, ...] = ()
    """What judges prompts and completions, in order."""
    postprocessors: tuple[Postprocessor, ...] = ()
    """What shapes the text of responses, in order."""
    rollout: Rollout | None = None
    """What routes requests to arms; None where there is none."""


@frozen
class Observed:
    """What a target says of itself: which revision it serves, where, since when."""

    revision: int
    """The revision that it serves."""
    url: str = ""
    """Where."""
    ready: bool = False
    """Whether it answers."""
    detail: str = ""
    """What people should know, such as why it is not ready."""
