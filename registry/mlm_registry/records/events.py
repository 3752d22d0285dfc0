"""The rows of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from mlm_registry.rows import Table, as_json


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


EVENTS = Table("events", Event, detail=as_json)
