"""What was proposed, and which changes of intent were approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from mlm_registry.rows import Table, as_json, as_tuple

ProposalState = Literal["open", "approved", "rejected", "done"]


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


PROPOSALS = Table("proposals", Proposal, plan=as_tuple, changes=as_tuple, evidence=as_json)
AMENDMENTS = Table("amendments", Amendment, value=as_json)
