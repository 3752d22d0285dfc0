"""What cards of both kinds say of where a node came from, and with which software."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlm.cards.markdown import code, section, table
from mlm.pages.quantities import moment, number
from mlm.workspace import Workspace
from mlm_registry import Execution, Node, Registry

_PROCESS = ("pid", "process_started")
"""Names in an execution's environment that tell a process from another; no card needs them."""


def execution_of(registry: Registry, node: Node) -> Execution | None:
    """Return what made a node; a node that was recorded by hand has none."""
    return registry.execution(node.execution) if node.execution else None


def settings_of(workspace: Workspace, execution: Execution) -> dict[str, Any]:
    """Return an execution's own settings; paths inside the project are relative to it, as in the project file."""
    root = f"{workspace.folder.absolute()}/"
    chosen = {key: value for key, value in execution.settings.items() if key != "steps"}
    return {key: value.removeprefix(root) if isinstance(value, str) else value for key, value in chosen.items()}


def ancestors(registry: Registry, node: Node) -> list[Node]:
    """Return all that a node came from, oldest first."""
    return [registry.node(id) for id in registry.graph.upstream(node.id)]


def rows_of(node: Node) -> str:
    """Write a dataset's rows by split."""
    return ", ".join(f"{name} {number(count)}" for name, count in dict(node.metadata.get("rows", {})).items())


def lineage(nodes: Iterable[Node]) -> str | None:
    """Write the section that names every ancestor by digest."""
    rows = [(node.ref, node.kind, code(node.digest), moment(node.created)) for node in nodes]
    return section("Lineage", table(("Node", "Kind", "Digest", "Made (UTC)"), rows))


def software(execution: Execution | None) -> str | None:
    """Write the section that names what ran."""
    if execution is None:
        return None
    rows = [("plugin", f"{execution.plugin} {execution.distribution_version}")]
    rows += [("plugin digest", code(execution.plugin_digest))] if execution.plugin_digest else []
    rows += [(key, value) for key, value in execution.environment.items() if key not in _PROCESS]
    return section("Software", table(("What", "Version"), rows))
