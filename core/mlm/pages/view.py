"""What a page of a project shows, read from the registry once."""

from __future__ import annotations

from attrs import field, frozen

from mlm.errors import MlmError, near_miss
from mlm.project import Project
from mlm.requirements import Requirement
from mlm.standing import Standing
from mlm.workspace import Workspace
from mlm_registry import Execution, ModelVersion, Node, Registry


@frozen
class View:
    """A project at one moment: the newest of everything, or the executions of one run."""

    workspace: Workspace
    run: str | None
    executions: tuple[Execution, ...]
    """Of the run; without a run, the newest execution of each step. In the order in which they began."""
    made: dict[int, list[Node]]
    """Nodes by execution."""
    nodes: tuple[Node, ...]
    """Newest node of each name."""
    versions: tuple[ModelVersion, ...]
    """All model versions, newest first."""
    stages: dict[str, str]
    """Stage by step, of all that ever ran."""
    standing: Standing = field(init=False)

    @standing.default
    def _of_workspace(self) -> Standing:
        return Standing(self.workspace)

    @property
    def registry(self) -> Registry:
        return self.workspace.registry

    @property
    def project(self) -> Project:
        return self.workspace.project

    def stage(self, node: Node) -> str:
        return self.stages.get(node.name, "")

    def of_stage(self, *stages: str) -> list[Execution]:
        return [e for e in self.executions if e.stage in stages]

    def outputs(self, execution: Execution) -> list[Node]:
        return self.made.get(execution.id, [])

    def requirement(self, metric: str, step: str = "") -> Requirement | None:
        """Return the requirement on a metric; one that names another step with `by` does not count."""
        for requirement in self.project.requirements:
            if requirement.metric == metric and (not step or requirement.by in (None, step)):
                return requirement
        return None

    def deployed(self) -> list[str]:
        """Names of the model steps that deployments serve."""
        return [str(table.values.get("model")) for table in self.project.tables("deployment")]


def view(workspace: Workspace, run: str | None = None) -> View:
    """Read a view; MlmError where there is no such run."""
    registry = workspace.registry
    everything = registry.executions()
    runs = registry.runs()
    if run is not None and run not in runs:
        raise MlmError(f"there is no run '{run}' (newest: {', '.join(runs[:3]) or 'none'}){near_miss(run, runs)}")
    chosen = [e for e in everything if e.run == run] if run is not None else _newest_each(everything)
    nodes = registry.nodes()
    made: dict[int, list[Node]] = {}
    newest: dict[str, Node] = {}
    for node in nodes:
        made.setdefault(node.execution, []).append(node)
        newest.setdefault(node.name, node)
    return View(
        workspace=workspace,
        run=run,
        executions=tuple(sorted(chosen, key=lambda e: e.id)),
        made=made,
        nodes=tuple(sorted(newest.values(), key=lambda node: node.id)),
        versions=tuple(registry.models.versions()),
        stages={e.step: e.stage for e in reversed(everything)},
    )


def _newest_each(newest_first: list[Execution]) -> list[Execution]:
    found: dict[str, Execution] = {}
    for execution in newest_first:
        found.setdefault(execution.step, execution)
    return list(found.values())
