"""One step's hook, called with its inputs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from functools import partial
from typing import Any

from attrs import frozen

from mlm.artifacts import Dataset, Model, Report
from mlm.calls import Plugin
from mlm.context import Context
from mlm.curation import curate
from mlm.handles import handle, joined
from mlm.hookspecs import hookimpl
from mlm.ledger import Ledger
from mlm.measures import MetricSpec
from mlm.plan import InputNode, Resolved, check_unchanged
from mlm.steps import Input, Step
from mlm.workspace import Workspace
from mlm_registry import Node, Registry

Artifact = Dataset | Model | Report


def made(workspace: Workspace, resolved: Resolved, context: Context) -> Artifact:
    """Make a step's product where its table says: here, or in a process of its own."""
    # What a plugin prints is for people: programs read the standard output.
    with redirect_stdout(sys.stderr):
        if resolved.step.isolation:
            from mlm.isolating import isolated

            return _around(workspace, resolved, context, lambda: isolated(workspace, resolved, context))
        return make(workspace, resolved, context)


def _around(workspace: Workspace, resolved: Resolved, context: Context, work: Callable[[], Artifact]) -> Artifact:
    """Let the policies of this process, which know the whole run, wrap a hook that is called in another one.

    A data step has many hooks, which the policies of its own process wrap.
    """
    step = resolved.step
    if step.stage == "data" or not workspace.policies:
        return work()
    metrics = Plugin(step.binding.ref, step.binding.build()).metrics
    plugin = Plugin(step.binding.ref, Elsewhere(work, metrics), workspace.policies)
    return _called(plugin, step, _given(workspace.registry, step.inputs, resolved.inputs), context)


@frozen
class Elsewhere:
    """Stands for a step's plugin whose hook is called in another process."""

    work: Callable[[], Any]
    metrics: tuple[MetricSpec, ...]

    @hookimpl
    def mlm_import(self) -> Model:
        return self.work()  # type: ignore[no-any-return]

    @hookimpl
    def mlm_train(self) -> Model:
        return self.work()  # type: ignore[no-any-return]

    @hookimpl
    def mlm_export(self) -> Model:
        return self.work()  # type: ignore[no-any-return]

    @hookimpl
    def mlm_evaluate(self) -> Report:
        return self.work()  # type: ignore[no-any-return]


def make(workspace: Workspace, resolved: Resolved, context: Context, *, alone: bool = False) -> Artifact:
    """Call a step's hook with its inputs and return what it made.

    Args:
        alone: Whether this is the process of that step alone, so that the policies of the run wrap its hook.
    """
    step, inputs = resolved.step, resolved.inputs
    given = _given(workspace.registry, step.inputs, inputs)
    fields = {p.name: given.get(p.name) for p in step.binding.ports if p.is_field}
    has_read = partial(check_unchanged, resolved, project=workspace.project, registry=workspace.registry)
    if step.stage == "data":
        plugin, ledger = workspace.configured(step.binding, fields), Ledger.read(workspace.registry.folder)
        chain, added = _chain(workspace, step, inputs), _added(workspace.registry, inputs)
        return curate(plugin, chain, added, ledger, context, workspace.executor, has_read)
    plugin = (
        Plugin(step.binding.ref, step.binding.build(fields)) if alone else workspace.configured(step.binding, fields)
    )
    product = _called(plugin, step, given, context)
    has_read(plugin)
    return product


def _called(plugin: Plugin, step: Step, given: dict[str, Any], context: Context) -> Model | Report:
    """Call the one hook of a step that is no data step."""
    if step.stage == "model":
        return plugin.import_model(context)
    if step.stage == "export":
        return plugin.export(given["model"], context)
    if step.stage == "evaluation":
        return plugin.evaluate(given["model"], given.get("data"), context)
    return plugin.train(given["data"], given.get("model"), context)


def _given(registry: Registry, ports: Iterable[Input], inputs: tuple[InputNode, ...]) -> dict[str, Any]:
    """Return handles by port name; a port that takes many gets a list, a list of datasets is read as one."""
    given: dict[str, Any] = {}
    for item in ports:
        found = [handle(registry, node, split) for node, split in _nodes(item, inputs)]
        if item.port.many:
            given[item.port.name] = found
        else:
            given[item.port.name] = joined(_datasets(found)) if isinstance(found[0], Dataset) else found[0]
    return given


def _nodes(item: Input, inputs: tuple[InputNode, ...]) -> list[tuple[Node, str | None]]:
    """Return what feeds a port: two transforms of a chain may have one of the same name, fed by different steps."""
    known = {(node.name, split): (node, split) for role, node, split in inputs if role == item.port.name}
    named = [known[source.step, source.split] for source in item.sources if (source.step, source.split) in known]
    # A step that was renamed since is known by its role alone.
    return named if len(named) == len(item.sources) else list(known.values())


def _chain(workspace: Workspace, step: Step, inputs: tuple[InputNode, ...]) -> list[Plugin]:
    return [
        workspace.configured(binding, _given(workspace.registry, ports, inputs)) for _, binding, ports in step.chain
    ]


def _datasets(found: Iterable[Artifact]) -> list[Dataset]:
    return [item for item in found if isinstance(item, Dataset)]


def _added(registry: Registry, inputs: tuple[InputNode, ...]) -> list[Dataset]:
    return _datasets(handle(registry, node) for role, node, _ in inputs if role == "added")
