"""One step's hook, called with its inputs."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

from mlm.artifacts import Dataset, Model, Report
from mlm.calls import Plugin
from mlm.context import Context
from mlm.curation import curate
from mlm.handles import handle, joined
from mlm.ledger import Ledger
from mlm.plan import InputNode, Resolved
from mlm.steps import Step
from mlm.workspace import Workspace
from mlm_registry import Registry

Artifact = Dataset | Model | Report


def made(workspace: Workspace, resolved: Resolved, context: Context) -> Artifact:
    """Make a step's product where its table says: here, or in a process of its own."""
    # What a plugin prints is for people: programs read the standard output.
    with redirect_stdout(sys.stderr):
        if resolved.step.isolation:
            from mlm.isolating import isolated

            return isolated(workspace, resolved, context)
        return make(workspace, resolved, context)


def make(workspace: Workspace, resolved: Resolved, context: Context) -> Artifact:
    """Call a step's hook with its inputs and return what it made."""
    step, inputs = resolved.step, resolved.inputs
    given = _given(workspace.registry, step, inputs)
    plugin = workspace.configured(step.binding, {p.name: given.get(p.name) for p in step.binding.ports if p.is_field})
    if step.stage == "data":
        ledger = Ledger.read(workspace.registry.folder)
        chain, added = _chain(workspace, step, given), _added(workspace.registry, inputs)
        return curate(plugin, chain, added, ledger, context, workspace.executor)
    if step.stage == "model":
        return plugin.import_model(context)
    if step.stage == "export":
        return plugin.export(given["model"], context)
    if step.stage == "evaluation":
        return plugin.evaluate(given["model"], given.get("data"), context)
    return plugin.train(given["data"], given.get("model"), context)


def _given(registry: Registry, step: Step, inputs: tuple[InputNode, ...]) -> dict[str, Any]:
    """Return handles by port name; a port that takes many gets a list, a list of datasets is read as one."""
    handles: dict[str, list[Any]] = {}
    for role, node, split in inputs:
        handles.setdefault(role, []).append(handle(registry, node, split))
    many = {item.port.name for item in step.all_inputs if item.port.many}
    return {
        name: found if name in many else joined(found) if isinstance(found[0], Dataset) else found[0]
        for name, found in handles.items()
    }


def _chain(workspace: Workspace, step: Step, given: dict[str, Any]) -> list[Plugin]:
    return [
        workspace.configured(binding, {item.port.name: given[item.port.name] for item in inputs})
        for _, binding, inputs in step.chain
    ]


def _added(registry: Registry, inputs: tuple[InputNode, ...]) -> list[Dataset]:
    found = [handle(registry, node) for role, node, _ in inputs if role == "added"]
    return [item for item in found if isinstance(item, Dataset)]
