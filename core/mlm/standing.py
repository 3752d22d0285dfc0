"""What stands of the past: reports and scores that are up to date, and nodes that are not recalled."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from attrs import field, frozen

from mlm.errors import MlmError
from mlm.plan import made_so_far, resolve
from mlm.steps import Step
from mlm.workspace import Workspace
from mlm_registry import ModelVersion, Node, Registry, Score


@frozen
class StandingScore:
    """A score, and whether the report that it is from is up to date; None where the project cannot say it."""

    score: Score
    current: bool | None


@frozen(slots=False)
class Standing:
    """Reads what stands now; looks only at the steps that a question needs, and at each of them once."""

    workspace: Workspace
    _seen: dict[str, Node | None] = field(factory=dict, init=False)

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {step.name: step for step in self.workspace.steps}

    def _newest(self, name: str) -> Node | None:
        """Return the up-to-date node of a step; None where it has none."""
        if name not in self._seen:
            step = self._steps[name]
            made = {need: node for need in step.needs if (node := self._newest(need))}
            resolved = resolve(self.workspace.project, step, made, self.workspace.registry)
            self._seen[name] = resolved.output if resolved else None
        return self._seen[name]

    def reports(self, version: ModelVersion) -> dict[str, Node]:
        """Return the report of each evaluation step on a version, where it is up to date.

        Up to date means what it means for a run: same data, settings and plugin. The version's own ancestors stand in
        for the newest nodes of their steps, so that an older version is judged by reports on itself. A report that
        rests on recalled data, or on a recalled judge, is none.
        """
        project, registry = self.workspace.project, self.workspace.registry
        ancestors = [registry.node(i) for i in registry.graph.upstream(version.node.id)]
        own = {node.name: node for node in [*ancestors, version.node]}
        reports = {}
        for step in self.workspace.steps:
            if step.stage != "evaluation" or version.node.name not in step.needs:
                continue
            made = {need: node for need in step.needs if (node := own.get(need) or self._newest(need))}
            resolved = resolve(project, step, made, registry)
            if resolved and resolved.output and not recalled_upstream(registry, resolved.output.id):
                reports[step.name.partition(":")[0]] = resolved.output
        return reports

    def scores(self, version: ModelVersion) -> list[StandingScore]:
        """Return one score of each metric of each evaluation, by their names.

        It is from the report that is up to date, which a change that was taken back makes an older one; where none is,
        it is the newest.
        """
        found: dict[tuple[str, str], Score] = {}
        scores = self.workspace.registry.scores(model=version.node.digest)
        try:
            current = {report.id for report in self.reports(version).values()} if scores else set()
        except MlmError:
            current = None
        for score in scores:
            key = score.step, score.metric
            if key not in found or (current and score.report in current and found[key].report not in current):
                found[key] = score
        return [
            StandingScore(found[key], None if current is None else found[key].report in current)
            for key in sorted(found)
        ]


def up_to_date(workspace: Workspace, name: str) -> Node | None:
    """Return the node that the project's step of that name has now; None where it has none, or nobody can say."""
    try:
        return made_so_far(workspace.project, workspace.steps, workspace.registry).get(name)
    except MlmError:
        return None


def recalled_upstream(registry: Registry, node_id: int) -> str:
    """Return the ref of a recalled node that a version is, or came from; nothing where there is none."""
    recalled = registry.recalls.recalled({node_id, *registry.graph.upstream(node_id)})
    return registry.node(min(recalled)).ref if recalled else ""


def recalled_among(registry: Registry, refs: Iterable[str]) -> list[str]:
    """Return those of the nodes that are recalled themselves, in their order."""
    nodes = {registry.node(ref).id: ref for ref in refs if ref}
    recalled = registry.recalls.recalled(nodes)
    return [ref for node, ref in nodes.items() if node in recalled]
