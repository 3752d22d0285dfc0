"""Replay: run an execution again from its lineage, in a clean folder, and say how far the result is the same."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from attrs import evolve, frozen

from mlm.artifacts import Dataset, Model, Report
from mlm.errors import MlmError
from mlm.handles import model_handle
from mlm.inspecting import resolve
from mlm.making import made
from mlm.plan import InputNode, Resolved, resolved_with
from mlm.serving import Sampling
from mlm.steps import Step
from mlm.workspace import Workspace
from mlm_registry import Node

Outcome = Literal["bitwise", "token-identical", "within epsilon", "not reproducible"]
PROMPTS = 32
"""Prompts, from the model's own training data, on which greedy continuations are compared."""


@frozen
class Replay:
    """One execution that was run again: `bitwise` is the strongest outcome, `not reproducible` says why."""

    ref: str
    outcome: Outcome
    reason: str
    recorded: str
    made: str = ""
    """Digest of what was made now; empty where nothing was."""


@frozen
class Verification:
    """Replays in the order of the lineage, and the first whose result is not the same."""

    replays: tuple[Replay, ...]
    first_diverging: str | None


def verify(
    workspace: Workspace,
    ref: str,
    *,
    from_sources: bool = False,
    epsilon: float = 1e-6,
    heard: Callable[[Replay], None] = lambda replay: None,
) -> Verification:
    """Run the execution that made a node again, and compare.

    Each execution is given its recorded inputs, so that one that diverges says nothing against those after it.

    Args:
        ref: A node, an alias, or a response's id.
        from_sources: Replay everything that the node came from as well, oldest first.
        epsilon: Largest difference of a measure that still counts as the same.
    """
    registry = workspace.registry
    node = resolve(registry, ref)
    ids = [*registry.graph.upstream(node.id), node.id] if from_sources else [node.id]
    replays = []
    for one in registry.nodes_of(ids):
        replays.append(_replay(workspace, one, epsilon))
        heard(replays[-1])
    diverging = next((r.ref for r in replays if r.outcome == "not reproducible"), None)
    return Verification(tuple(replays), diverging)


def _replay(workspace: Workspace, node: Node, epsilon: float) -> Replay:
    try:
        resolved = _resolved(workspace, node)
    except MlmError as error:
        return Replay(node.ref, "not reproducible", str(error), node.digest)
    folder = Path(tempfile.mkdtemp(prefix="replay-", dir=workspace.registry.folder))
    try:
        made = _made(workspace, resolved, folder)
        digest = workspace.registry.objects.digest(made.path) if made.path else ""
        if digest == node.digest:
            return Replay(node.ref, "bitwise", "every byte is the same", node.digest, digest)
        outcome, reason = _compared(workspace, resolved, node, made, epsilon)
        return Replay(node.ref, outcome, reason, node.digest, digest)
    except (MlmError, OSError, ValueError) as error:
        return Replay(node.ref, "not reproducible", f"it fails now: {error}", node.digest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _resolved(workspace: Workspace, node: Node) -> Resolved:
    """Find the step that made a node, as it was; MlmError where code, settings, source or seed are others now."""
    registry = workspace.registry
    execution = registry.execution(node.execution)
    if not registry.objects.has(node.digest):
        raise MlmError("its bytes were erased or lost")
    step = next((step for step in workspace.steps if step.name == node.name), None)
    if step is None:
        raise MlmError(f"the project has no step '{node.name}' any more")
    inputs: list[InputNode] = [(role, source, split or None) for role, source, split in registry.inputs(node)]
    gone = [source.ref for _, source, _ in inputs if not registry.objects.has(source.digest)]
    if gone:
        raise MlmError(f"the bytes of {', '.join(gone)} were erased or lost")
    resolved = resolved_with(workspace.project, step, tuple(inputs), registry)
    if resolved.fingerprint != execution.fingerprint:
        raise MlmError(f"plugin code, settings, source or seed of '{node.name}' are not those of {node.ref}")
    return resolved


def _made(workspace: Workspace, resolved: Resolved, folder: Path) -> Dataset | Model | Report:
    out, work = folder / "out", folder / "work"
    out.mkdir()
    work.mkdir()
    product = made(workspace, resolved, workspace.context(resolved.step.name, out, work))
    if isinstance(product, Report):
        from mlm.pages.evaluation import write_report

        return write_report(product, resolved.step, resolved.inputs, out)
    return product


def _compared(
    workspace: Workspace, resolved: Resolved, node: Node, made: Dataset | Model | Report, epsilon: float
) -> tuple[Outcome, str]:
    """Say what is the same although bytes are not."""
    if isinstance(made, Report):
        return _measures(workspace, node, made, epsilon)
    if isinstance(made, Model):
        return _tokens(workspace, resolved, node, made)
    return "not reproducible", "the rows are not the same"


def _measures(workspace: Workspace, node: Node, made: Report, epsilon: float) -> tuple[Outcome, str]:
    recorded = {score.metric: score.value for score in workspace.registry.scores(report=node.id)}
    now = {measure.metric: measure.value for measure in made.measures}
    for name, value in recorded.items():
        other = now.get(name)
        if other is None or abs(other - value) > epsilon:
            return (
                "not reproducible",
                f"{name} was {value:.6g} and is {'not measured' if other is None else f'{other:.6g}'}",
            )
    return "within epsilon", f"{len(recorded)} measures differ by at most {epsilon:g}"


def _tokens(workspace: Workspace, resolved: Resolved, node: Node, made: Model) -> tuple[Outcome, str]:
    prompts = [prompt for prompt, _ in zip(_prompts(workspace, resolved.step, node), range(PROMPTS), strict=False)]
    if not prompts:
        return "not reproducible", "the bytes differ, and there is no prompt on which to compare tokens"
    before = workspace.engines.get(model_handle(workspace.registry, node), True)
    try:
        asked = [before.tokenizer.encode(prompt) for prompt in prompts]
        recorded = [g.ids for g in before.generate(asked, Sampling())]
    finally:
        before.close()
    after = workspace.engines.get(evolve(made, digest="replayed"), True)
    try:
        now = [g.ids for g in after.generate(asked, Sampling())]
    finally:
        after.close()
    same = sum(a == b for a, b in zip(recorded, now, strict=True))
    if same == len(prompts):
        return "token-identical", f"greedy continuations of {same} training prompts are the same"
    return (
        "not reproducible",
        f"greedy continuations of {len(prompts) - same} of {len(prompts)} training prompts differ",
    )


def _prompts(workspace: Workspace, step: Step, node: Node) -> Iterator[str]:
    """Yield prompts of the newest dataset that a model came from."""
    registry = workspace.registry
    for source in reversed(registry.nodes_of(registry.graph.upstream(node.id))):
        if source.kind == "dataset" and registry.objects.has(source.digest):
            for row in Dataset(registry.objects.path(source.digest)).rows():
                if prompt := row.get("prompt") or row.get("text"):
                    yield str(prompt)[:200]
