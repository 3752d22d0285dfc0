"""Whether a registry honours every erasure; the ledger itself is read only where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlm_registry import Registry

if TYPE_CHECKING:
    from mlm.ledger import Entry

LINES = "erasures.jsonl"
"""The ledger of erasures, in the registry's folder."""


def pending(registry: Registry) -> list[Entry]:
    """List the erasures that this registry has yet to apply: one was cut short, or a backup was restored."""
    if not (registry.folder / LINES).exists():
        return []
    from mlm.ledger import Ledger

    known = {erasure.subject for erasure in registry.erasures.all()}
    return [entry for entry in Ledger.read(registry.folder).entries if entry.name not in known]


def not_honoured(registry: Registry) -> str:
    """Return why nothing may be made or served from this registry; nothing where every erasure is applied."""
    due = len(pending(registry))
    return f"{due} erasures of the ledger are not applied to {registry.folder} (mlm erase --reapply)" if due else ""
