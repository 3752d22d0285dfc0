"""What executions record: nodes, how they came from one another, curves and scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from mlm_registry.rows import Table, as_json, number

NodeKind = Literal["dataset", "model", "report", "tokenizer"]
ExecutionStatus = Literal["running", "ran", "failed", "interrupted", "waiting"]


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


NODES = Table("nodes", Node, metadata=as_json)
EXECUTIONS = Table("executions", Execution, settings=as_json, environment=as_json)
EDGES = Table("edges", Edge)
PLUGIN_USES = Table("plugin_uses", PluginUse)
METRICS = Table("metrics", Metric, value=number)
SCORES = Table("scores", Score, value=number)
