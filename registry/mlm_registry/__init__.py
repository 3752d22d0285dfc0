"""What happened: executions, nodes, lineage, decisions and bytes. Imports nothing of mlm; every name loads lazily."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlm_registry.audit import Audit as Audit
    from mlm_registry.audit import AuditCheck as AuditCheck
    from mlm_registry.deployments import Deployments as Deployments
    from mlm_registry.errors import Corrupt as Corrupt
    from mlm_registry.errors import NewerRegistry as NewerRegistry
    from mlm_registry.errors import NotFound as NotFound
    from mlm_registry.errors import RegistryError as RegistryError
    from mlm_registry.exchanges import Exchanges as Exchanges
    from mlm_registry.graph import Graph as Graph
    from mlm_registry.improvements import Improvements as Improvements
    from mlm_registry.models import Models as Models
    from mlm_registry.objects import Objects as Objects
    from mlm_registry.recalls import Recalls as Recalls
    from mlm_registry.records.changes import Amendment as Amendment
    from mlm_registry.records.changes import Proposal as Proposal
    from mlm_registry.records.changes import ProposalState as ProposalState
    from mlm_registry.records.decisions import Alias as Alias
    from mlm_registry.records.decisions import Approval as Approval
    from mlm_registry.records.decisions import Judgement as Judgement
    from mlm_registry.records.decisions import ModelVersion as ModelVersion
    from mlm_registry.records.decisions import Outcome as Outcome
    from mlm_registry.records.decisions import VersionState as VersionState
    from mlm_registry.records.events import Event as Event
    from mlm_registry.records.runs import Edge as Edge
    from mlm_registry.records.runs import Execution as Execution
    from mlm_registry.records.runs import ExecutionStatus as ExecutionStatus
    from mlm_registry.records.runs import Metric as Metric
    from mlm_registry.records.runs import Node as Node
    from mlm_registry.records.runs import NodeKind as NodeKind
    from mlm_registry.records.runs import PluginUse as PluginUse
    from mlm_registry.records.runs import Score as Score
    from mlm_registry.records.traffic import Arm as Arm
    from mlm_registry.records.traffic import Deployment as Deployment
    from mlm_registry.records.traffic import Exchange as Exchange
    from mlm_registry.records.traffic import Feedback as Feedback
    from mlm_registry.records.traffic import Observation as Observation
    from mlm_registry.records.traffic import SignalRow as SignalRow
    from mlm_registry.records.withdrawals import Erasure as Erasure
    from mlm_registry.records.withdrawals import Recall as Recall
    from mlm_registry.records.withdrawals import Tombstone as Tombstone
    from mlm_registry.remotes import Remote as Remote
    from mlm_registry.store import Registry as Registry
    from mlm_registry.tampering import Seals as Seals
    from mlm_registry.tampering import Touched as Touched

_HOMES = {
    "audit": "Audit AuditCheck",
    "deployments": "Deployments",
    "errors": "Corrupt NewerRegistry NotFound RegistryError",
    "exchanges": "Exchanges",
    "graph": "Graph",
    "improvements": "Improvements",
    "models": "Models",
    "objects": "Objects",
    "recalls": "Recalls",
    "records.changes": "Amendment Proposal ProposalState",
    "records.decisions": "Alias Approval Judgement ModelVersion Outcome VersionState",
    "records.events": "Event",
    "records.runs": "Edge Execution ExecutionStatus Metric Node NodeKind PluginUse Score",
    "records.traffic": "Arm Deployment Exchange Feedback Observation SignalRow",
    "records.withdrawals": "Erasure Recall Tombstone",
    "remotes": "Remote",
    "store": "Registry",
    "tampering": "Seals Touched",
}
_HOME = {name: f"mlm_registry.{module}" for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mlm_registry' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
