"""What the registry remembers, as frozen records.

Names follow ML Metadata where it has one: a node is an artifact, an execution is a run of one step.
Times are seconds since the epoch (UTC), durations are seconds, money is US dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

NodeKind = Literal["dataset", "model", "report", "tokenizer"]
ExecutionStatus = Literal["running", "ran", "failed", "interrupted"]
VersionState = Literal["candidate", "approved", "retired"]
Outcome = Literal["pass", "fail", "inconclusive"]
ProposalState = Literal["open", "approved", "rejected", "done"]


@frozen
class Node:
    """The product of one execution, naming its bytes by digest: `chat@2`."""

    name: str
    kind: NodeKind
    digest: str
    version: int = 0
    id: int = 0
    execution: int = 0
    size_bytes: int = 0
    created: float = 0.0
    metadata: Mapping[str, Any] = field(factory=dict)

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"


@frozen
class Execution:
    """One run of one step: which code, with which settings, at which cost."""

    step: str
    stage: str
    run: str
    plugin: str
    distribution: str = ""
    distribution_version: str = ""
    plugin_digest: str = ""
    fingerprint: str = ""
    settings: Mapping[str, Any] = field(factory=dict)
    seed: int = 0
    environment: Mapping[str, str] = field(factory=dict)
    status: ExecutionStatus = "running"
    error: str | None = None
    started: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cost_usd: float = 0.0
    id: int = 0


@frozen
class Edge:
    """`source`, or one split of it, went into making `target`; the role is the name of the input."""

    source: int
    target: int
    role: str = "input"
    split: str = ""


@frozen
class PluginUse:
    """A further plugin that an execution used, such as a transform of a data step's chain, in its order."""

    plugin: str
    distribution: str = ""
    distribution_version: str = ""
    plugin_digest: str = ""
    execution: int = 0
    position: int = 0


@frozen(slots=False)  # made by the hundred: without slots a frozen record is made in half the time
class Metric:
    """One point of a curve that an execution logged, such as a training loss."""

    execution: int
    name: str
    step: int
    value: float


@frozen(slots=False)  # made by the hundred: without slots a frozen record is made in half the time
class Score:
    """One evaluated value, bound to digests: a child of the model inherits nothing."""

    metric: str
    value: float
    model: str
    data: str
    evaluator: str
    step: str = ""
    report: int = 0
    n: int = 0
    low: float | None = None
    high: float | None = None
    unit: str = ""
    settings: str = ""
    backend: str = ""
    seed: int = 0


@frozen
class Judgement:
    """A stored verdict on a digest: a gate, a check, an admission, a canary or a trigger."""

    subject: str
    kind: str
    by: str
    outcome: Outcome
    code: str
    reason: str
    requirements: str = ""
    low: float | None = None
    high: float | None = None
    evidence: Mapping[str, Any] = field(factory=dict)
    at: float = 0.0
    id: int = 0


@frozen
class ModelVersion:
    """A model node with the state that governance gave it."""

    node: Node
    state: VersionState = "candidate"
    recalled: bool = False


@frozen
class Recall:
    """Nodes that must not be used any more, with all that came from them, until the recall is undone.

    `subject` is what was asked for: a node's ref, a plugin version, a row. `moves` are the aliases and deployments that
    the recall drained, so that undoing it can bring them back.
    """

    subject: str
    nodes: tuple[int, ...]
    by: str
    reason: str
    moves: tuple[Mapping[str, Any], ...] = ()
    at: float = 0.0
    undone: float | None = None
    id: int = 0


@frozen
class Erasure:
    """A subject whose rows and exchanges were erased; `subject` is a keyed digest, never the name.

    `certificate` is the digest of the object that says what was erased and what could not be.
    """

    subject: str
    by: str
    reason: str
    certificate: str
    counts: Mapping[str, Any] = field(factory=dict)
    at: float = 0.0
    id: int = 0


@frozen
class Tombstone:
    """A node whose bytes were erased, and the node that stands in its place (0: none)."""

    node: int
    erasure: int
    replacement: int = 0
    at: float = 0.0


@frozen
class Alias:
    """One move of an alias; the newest row is where it points now."""

    name: str
    node: int
    by: str
    reason: str
    at: float = 0.0
    id: int = 0


@frozen
class Approval:
    """Somebody said yes to an action on a subject."""

    subject: str
    action: str
    by: str
    reason: str = ""
    at: float = 0.0
    id: int = 0


@frozen
class Proposal:
    """What an improver suggests, with the evidence that made it."""

    title: str
    reason: str
    plan: tuple[str, ...]
    changes: tuple[Mapping[str, Any], ...]
    evidence: Mapping[str, Any] = field(factory=dict)
    by: str = ""
    deployment: str = ""
    state: ProposalState = "open"
    at: float = 0.0
    id: int = 0


@frozen
class Amendment:
    """An approved change of intent that stands beside the project file.

    `op` is `add` (value is the ref of a dataset node, target a data step) or `set` (target is a table, key and value
    are given).
    """

    op: Literal["add", "set"]
    target: str
    value: Any
    key: str = ""
    by: str = ""
    reason: str = ""
    proposal: int = 0
    at: float = 0.0
    revoked: float | None = None
    id: int = 0


@frozen
class Arm:
    """A model version's share of a deployment's traffic, 0 to 1."""

    node: int
    share: float


@frozen
class Deployment:
    """One revision of what a deployment should serve."""

    name: str
    arms: tuple[Arm, ...]
    by: str
    reason: str
    at: float = 0.0
    revision: int = 0


@frozen
class Observation:
    """What a deployment's endpoint last said of itself."""

    deployment: str
    revision: int
    url: str
    pid: int
    arms: tuple[Arm, ...] = ()
    error: str | None = None
    heartbeat: float = 0.0


@frozen
class SignalRow:
    """One monitored value of one arm over one window of exchanges."""

    deployment: str
    metric: str
    value: float | None
    node: int | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None
    unit: str = ""
    coverage: float | None = None
    at: float = 0.0
    id: int = 0


@frozen
class Exchange:
    """One request and its response, as the gateway saw them."""

    id: str
    deployment: str
    revision: int
    node: int
    route: str
    at: float
    request: Mapping[str, Any]
    prompt: str
    response: str = ""
    status: int = 200
    error: str | None = None
    finish_reason: str = ""
    latency_seconds: float = 0.0
    first_token_seconds: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    guards: tuple[Mapping[str, Any], ...] = ()


@frozen
class Feedback:
    """What a person said of a response: rating 1 or -1, and the right answer if given."""

    exchange: str
    rating: int
    correction: str | None = None
    by: str = ""
    at: float = 0.0
    id: int = 0


@frozen
class Event:
    """One row of the audit log; `digest` chains it to the row before.

    `seal` is the end of the chain of seals when it was written: so the digest stands for the registry's rows as well.
    """

    action: str
    subject: str
    by: str
    detail: Mapping[str, Any] = field(factory=dict)
    at: float = 0.0
    id: int = 0
    digest: str = ""
    seal: str = ""
