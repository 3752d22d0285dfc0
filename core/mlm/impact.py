"""What rests on a source, a row, a dataset, a plugin version or a model: down to live traffic."""

from __future__ import annotations

from attrs import frozen

from mlm.subjects import Subject, subject
from mlm_registry import ModelVersion, Node, Registry


@frozen
class TouchedVersion:
    """A model version that rests on the subject: its state, its present share, and the responses that it gave."""

    ref: str
    stage: str
    state: str
    aliases: tuple[str, ...]
    responses: int


@frozen
class TouchedScore:
    """A score that no longer holds: its model, its data, or what judged rests on the subject."""

    metric: str
    value: float
    model: str
    report: str


@frozen
class TouchedTraffic:
    """A deployment that serves a touched version now, with its share of the traffic, 0 to 1."""

    deployment: str
    revision: int
    version: str
    share: float


@frozen
class Impact:
    """Everything derived from a subject."""

    subject: str
    nodes: tuple[str, ...]
    """What was named itself."""
    datasets: tuple[str, ...]
    models: tuple[TouchedVersion, ...]
    scores: tuple[TouchedScore, ...]
    deployments: tuple[TouchedTraffic, ...]
    responses: int
    """Responses that touched versions have given."""


def impact(registry: Registry, name: str) -> Impact:
    """Follow a subject (see `mlm.subjects.subject`) down to what is served; NotFound where nothing is of that name."""
    return impact_of(registry, subject(registry, name))


def impact_of(registry: Registry, of: Subject) -> Impact:
    """Return what rests on a subject that was read already."""
    touched = registry.nodes_of(of.reached)
    counts = registry.exchanges.counts(node.id for node in touched if node.kind == "model")
    stages = registry.stages({node.execution for node in touched})
    aliases: dict[int, list[str]] = {}
    for alias in registry.models.aliases():
        aliases.setdefault(alias.node, []).append(alias.name)
    versions = {v.node.id: v for v in registry.models.versions_of(of.reached)}
    models = tuple(_version(versions[node.id], stages, aliases, counts) for node in touched if node.id in versions)
    return Impact(
        subject=of.name,
        nodes=tuple(node.ref for node in of.nodes),
        datasets=tuple(node.ref for node in touched if node.kind == "dataset"),
        models=models,
        scores=tuple(_scores(registry, touched)),
        deployments=tuple(_traffic(registry, {node.id: node for node in touched})),
        responses=sum(counts.values()),
    )


def _version(
    version: ModelVersion, stages: dict[int, str], aliases: dict[int, list[str]], counts: dict[int, int]
) -> TouchedVersion:
    node = version.node
    stage = stages.get(node.execution, "")
    return TouchedVersion(node.ref, stage, version.state, tuple(aliases.get(node.id, ())), counts.get(node.id, 0))


def _scores(registry: Registry, touched: list[Node]) -> list[TouchedScore]:
    """List the scores of touched reports: a report came from its model, its data and its judge."""
    found = []
    for report in touched:
        if report.kind == "report":
            judged = next((source.ref for role, source, _ in registry.inputs(report) if role == "model"), "")
            found += [TouchedScore(s.metric, s.value, judged, report.ref) for s in registry.scores(report=report.id)]
    return found


def _traffic(registry: Registry, touched: dict[int, Node]) -> list[TouchedTraffic]:
    return [
        TouchedTraffic(name, current.revision, touched[arm.node].ref, arm.share)
        for name in registry.deployments.names()
        if (current := registry.deployments.current(name))
        for arm in current.arms
        if arm.node in touched
    ]
