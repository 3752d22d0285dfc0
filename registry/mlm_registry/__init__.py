"""What happened: executions, nodes, lineage, decisions and bytes. Imports nothing of mlm."""

from mlm_registry.audit import Audit, AuditCheck
from mlm_registry.deployments import Deployments
from mlm_registry.errors import Corrupt, NewerRegistry, NotFound, RegistryError
from mlm_registry.exchanges import Exchanges
from mlm_registry.graph import Graph
from mlm_registry.improvements import Improvements
from mlm_registry.models import Models
from mlm_registry.objects import Objects
from mlm_registry.recalls import Recalls
from mlm_registry.records import (
    Alias,
    Amendment,
    Approval,
    Arm,
    Deployment,
    Edge,
    Erasure,
    Event,
    Exchange,
    Execution,
    ExecutionStatus,
    Feedback,
    Judgement,
    Metric,
    ModelVersion,
    Node,
    NodeKind,
    Observation,
    Outcome,
    PluginUse,
    Proposal,
    ProposalState,
    Recall,
    Score,
    SignalRow,
    Tombstone,
    VersionState,
)
from mlm_registry.remotes import Remote
from mlm_registry.store import Registry
from mlm_registry.tampering import Seals, Touched

__all__ = [
    "Alias",
    "Amendment",
    "Approval",
    "Arm",
    "Audit",
    "AuditCheck",
    "Corrupt",
    "Deployment",
    "Deployments",
    "Edge",
    "Erasure",
    "Event",
    "Exchange",
    "Exchanges",
    "Execution",
    "ExecutionStatus",
    "Feedback",
    "Graph",
    "Improvements",
    "Judgement",
    "Metric",
    "ModelVersion",
    "Models",
    "NewerRegistry",
    "Node",
    "NodeKind",
    "NotFound",
    "Objects",
    "Observation",
    "Outcome",
    "PluginUse",
    "Proposal",
    "ProposalState",
    "Recall",
    "Recalls",
    "Registry",
    "RegistryError",
    "Remote",
    "Score",
    "Seals",
    "SignalRow",
    "Tombstone",
    "Touched",
    "VersionState",
]
