"""What was judged and decided of model versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from mlm_registry.records.runs import Node
from mlm_registry.rows import Table, as_json

VersionState = Literal["candidate", "approved", "retired"]
Outcome = Literal["pass", "fail", "inconclusive"]


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


JUDGEMENTS = Table("judgements", Judgement, evidence=as_json)
ALIASES = Table("aliases", Alias)
APPROVALS = Table("approvals", Approval)
