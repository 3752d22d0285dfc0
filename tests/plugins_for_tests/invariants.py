"""What holds of a registry at every moment, whatever was done and wherever it stopped (docs/explanation/lineage.md)."""

from __future__ import annotations

from pathlib import Path

from mlm.auditing import verify
from mlm_registry import Registry


def broken(folder: Path) -> list[str]:
    """Return the invariants that a registry breaks; none, it is to be hoped."""
    with Registry.open(folder) as registry:
        return [*_opens(registry), *_audit(registry), *_bytes(registry), *_decisions(registry), *_graph(registry)]


def _opens(registry: Registry) -> list[str]:
    found = registry.database.query("PRAGMA integrity_check")
    return [] if found == [("ok",)] else [f"SQLite finds {found[0][0]}"]


def _audit(registry: Registry) -> list[str]:
    """The audit log is whole, and every row is as the registry wrote it."""
    return verify(registry).problems


def _bytes(registry: Registry) -> list[str]:
    """No node without its bytes, but for one that has a tombstone."""
    buried = registry.erasures.buried()
    return [
        f"the bytes of {node.ref} are missing or changed"
        for node in registry.nodes()
        if node.id not in buried and not registry.objects.verify(node.digest)
    ]


def _decisions(registry: Registry) -> list[str]:
    """Aliases and deployments point at model versions, and nothing that is touched by a recall is wanted."""
    problems = []
    models = {version.node.id: version for version in registry.models.versions()}
    for alias in registry.models.aliases():
        if alias.node not in models:
            problems.append(f"{alias.name} points at node {alias.node}, which is no model")
    for name in registry.deployments.names():
        current = registry.deployments.current(name)
        for arm in current.arms if current else ():
            if arm.node not in models:
                problems.append(f"{name} serves node {arm.node}, which is no model")
            elif models[arm.node].state == "retired":
                problems.append(f"{name} serves {models[arm.node].node.ref}, which is retired")
            elif registry.recalls.recalled([arm.node, *registry.graph.upstream(arm.node)]):
                problems.append(f"{name} serves {models[arm.node].node.ref}, which is recalled")
    return problems


def _graph(registry: Registry) -> list[str]:
    """Edges lead from older to newer nodes, also from erased ones; versions count from 1; only what ran has any."""
    problems = []
    if registry.database.query("SELECT 1 FROM edges WHERE source >= target LIMIT 1"):
        problems.append("an edge leads back in time")
    for stone in registry.erasures.buried().values():
        if stone.replacement and stone.node not in registry.graph.upstream(stone.replacement):
            problems.append(f"{registry.node(stone.replacement).ref} came from nothing that was erased")
    holes = "SELECT name FROM nodes GROUP BY name HAVING count(*) != max(version) OR min(version) != 1"
    problems += [f"the versions of {name} have a hole" for (name,) in registry.database.query(holes)]
    orphans = "SELECT 1 FROM nodes LEFT JOIN executions ON executions.id = execution WHERE status IS NOT 'ran' LIMIT 1"
    if registry.database.query(orphans):
        problems.append("an execution that did not run has a product")
    return problems
