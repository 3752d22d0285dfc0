"""What happened: executions, nodes, lineage, decisions and bytes. Imports nothing of mlm."""

from mlm_registry.audit import Audit, AuditCheck
from mlm_registry.deployments import Deployments
from mlm_registry.errors import Corrupt, NewerRegistry, NotFound, RegistryError
from mlm_registry.exchanges import Exchanges
from mlm_registry.graph import Graph
from mlm_registry.improvements import Improvements
from mlm_registry.models import Models
from mlm_registry.objects import Objects
from mlm_registry.records import (
    Alias,
    Amendment,
    Approval,
    Arm,
    Deployment,
    Edge,
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
    Proposal,
    ProposalState,
    Score,
    SignalRow,
    VersionState,
)
from mlm_registry.store import Registry

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
    "Proposal",
    "ProposalState",
    "Registry",
    "RegistryError",
    "Score",
    "SignalRow",
    "VersionState",
]
