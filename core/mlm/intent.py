"""What plugins of the living system take and give: findings, windows, signals, proposals, candidates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from mlm.artifacts import Dataset, Model
from mlm.measures import Measure
from mlm.serving import Guard, Postprocessor, Rollout
from mlm.verdicts import Verdict
from mlm_registry.records import Arm, Exchange, Feedback, Judgement, ModelVersion, Score


@frozen
class Problem:
    """The `[problem]` table: what the model is for, for whom, and what must not happen."""

    name: str
    """Name of the whole project, as reports and cards show it."""
    task: str
    """chat, completion, summarization, code or vision."""
    purpose: str
    """What it is for, and for whom, in a sentence."""
    owner: str = ""
    """Who answers for it."""
    risk_tier: str = ""
    """By the EU AI Act: minimal, limited or high."""
    abuse: tuple[str, ...] = ()
    """What it could be misused for."""
    constraints: tuple[str, ...] = ()
    """What it must keep to."""
    languages: tuple[str, ...] = ("en",)
    """Languages that it reads and writes."""
    license: str = ""
    """Under which its weights are given away, as the Hub writes it: apache-2.0."""
    value_per_request_usd: float | None = None
    """What one answered request is worth; for the return on investment."""
    requests_per_month: float | None = None
    """How many are expected."""
    cost_per_cpu_hour_usd: float = 0.04
    """Price of one core for one hour; 0.04 is about what clouds ask for a general-purpose core."""


@frozen
class Finding:
    """One remark of a review: a gap, a risk with its named category, or an expectation."""

    code: str
    title: str
    severity: Literal["note", "gap", "risk", "error"]
    category: str = ""
    advice: str = ""
    source: str = ""


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
