"""What a run would do: one code path for `mlm plan`, for `mlm run` and for deciding that nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from attrs import frozen

from mlm.calls import Plugin
from mlm.context import Context
from mlm.errors import DataError
from mlm.fingerprints import fingerprint, paths_read
from mlm.plugins import implements
from mlm.project import Project
from mlm.steps import Input, Step, check_step_files
from mlm_registry import Node, Registry
from mlm_registry.erasing import ERASED

InputNode = tuple[str, Node, str | None]
"""Role, node and split of one input."""


@frozen
class Resolved:
    """A step with its inputs found and its fingerprint known; `output` is there where the result is cached."""

    step: Step
    inputs: tuple[InputNode, ...]
    fingerprint: str
    output: Node | None
    token: str | None = None
    """What the step's source said of its version."""


@frozen
class PlannedStep:
    """A line of `mlm plan`."""

    name: str
    stage: str
    plugin: str
    status: Literal["cached", "run", "pending"]
    needs: tuple[str, ...]
    output: str = ""
    amended_by: tuple[int, ...] = ()


def plan(project: Project, steps: list[Step], registry: Registry) -> list[PlannedStep]:
    """Say of each step whether it is cached, would run, or waits for what is not made yet."""
    made: dict[str, Node] = {}
    rows = []
    for step in steps:
        resolved = resolve(project, step, made, registry)
        if resolved and resolved.output:
            made[step.name] = resolved.output
        status: Literal["cached", "run", "pending"] = (
            "pending" if resolved is None else "cached" if resolved.output else "run"
        )
        output = made[step.name].ref if step.name in made else ""
        amended = tuple(a.id for a in step.amendments)
        rows.append(
            PlannedStep(step.name, step.stage, step.binding.ref.name, status, tuple(step.needs), output, amended)
        )
    return rows


def made_so_far(project: Project, steps: list[Step], registry: Registry) -> dict[str, Node]:
    """Return the up-to-date node of each step that has one."""
    made: dict[str, Node] = {}
    for step in steps:
        resolved = resolve(project, step, made, registry)
        if resolved and resolved.output:
            made[step.name] = resolved.output
    return made


def resolve(project: Project, step: Step, made: dict[str, Node], registry: Registry) -> Resolved | None:
    """Find a step's inputs among what was made, and its cached result; None where an input is not made yet.

    Raises ProjectError where a file that the step names is not there.
    """
    if any(name not in made for name in step.needs):
        return None
    check_step_files([step])
    inputs = tuple(input_node for item in step.all_inputs for input_node in _nodes(item, made))
    inputs += tuple(("added", registry.node(ref), None) for ref in step.added)
    return resolved_with(project, step, inputs, registry)


def resolved_with(project: Project, step: Step, inputs: tuple[InputNode, ...], registry: Registry) -> Resolved:
    """Find the fingerprint of a step with these inputs, and its cached result."""
    token = _version_token(project, step)
    key = fingerprint(step, list(inputs), [token], project.seed, registry)
    cached = registry.cached(key, lambda made: not _recalled_by_others(registry, made[0], inputs))
    return Resolved(step, inputs, key, cached[0] if cached else None, token)


def _recalled_by_others(registry: Registry, made: Node, inputs: tuple[InputNode, ...]) -> bool:
    """Say whether a cached result rests on a recalled node on which no input rests that the step has now.

    Equal bytes make an equal fingerprint, but a recall of one node says nothing of another. A result that is recalled
    itself stays: it would come out the same.
    """
    if not registry.recalls.standing():
        return False
    # What is left of an erased dataset is that dataset itself.
    came_from = [source for role, source, _ in registry.inputs(made) if role != ERASED]
    others = _closure(registry, came_from) - _closure(registry, [node for _, node, _ in inputs])
    return bool(registry.recalls.recalled(others))


def _closure(registry: Registry, nodes: Iterable[Node]) -> set[int]:
    return {id for node in nodes for id in (node.id, *registry.graph.upstream(node.id))}


def _nodes(item: Input, made: dict[str, Node]) -> list[InputNode]:
    return [(item.port.name, made[source.step], source.split) for source in item.sources]


def check_unchanged(resolved: Resolved, reader: Plugin, project: Project, registry: Registry) -> None:
    """Raise DataError where what a plugin of the step has just read is not what the step's fingerprint was made of.

    Files that are as they were are not hashed again.
    """
    paths = paths_read(reader.instance)
    step, inputs = resolved.step, list(resolved.inputs)
    if paths and fingerprint(step, inputs, [resolved.token], project.seed, registry) != resolved.fingerprint:
        told = " or ".join(map(str, paths))
        raise DataError(f"{told} changed while it was read: run again when nothing writes there  [{step.name}]")


def _version_token(project: Project, step: Step) -> str | None:
    """Return what the step's source says of its version now; None where nothing is said."""
    if step.stage != "data" or not implements(step.binding.cls, "mlm_version"):
        return None
    plugin = Plugin(step.binding.ref, step.binding.build())
    return plugin.version(Context(Path(), Path(), project.folder, project.problem, project.seed, step=step.name))
