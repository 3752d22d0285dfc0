"""Every hook, in the order of the lifecycle.

A plugin is an attrs class whose fields are its settings and whose methods are hook implementations. Each plugin is
asked by itself, with the policies that may wrap its hooks, so one plugin answers, and every exception has one owner.

A hook takes those of its arguments that it names. Where a `Dataset` or a `Model` may be None here, the plugin's own
annotation says whether the project file must name one: `data: mlm.Dataset` must be there, `mlm.Dataset | None` may be
left out.

What an exception does: in a step hook (read, import, train, evaluate, export) the step fails, nothing of it is stored
and its error is in the registry. In a check it is a refusal, in a trigger it is inconclusive, in an observer it is
reported and ignored. `mlm.Waiting` is no failure: the work stops until a person, or more traffic, has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from mlm.artifacts import Dataset, Model, Report
    from mlm.batches import Batch
    from mlm.context import Context
    from mlm.events import StepEvent
    from mlm.intent import Candidate, Desired, Living, Observed, Proposal, Signal, Window
    from mlm.problem import Finding, Problem
    from mlm.serving import Engine, Guard, Postprocessor, Rollout
    from mlm.shards import Shard
    from mlm.verdicts import Verdict

hookspec = pluggy.HookspecMarker("mlm")
hookimpl = pluggy.HookimplMarker("mlm")

API_VERSION = 1
"""Raised only when a plugin written for the version before would be wrong.

A plugin states for which version it was written by a class variable of this name; one that states none means 1.
"""
OLDEST_API_VERSION = 1
"""Plugins written for this version still work; what is deprecated works for one minor release more."""


# Problem


@hookspec(firstresult=True)
def mlm_start(folder: Path, seed: int) -> None:
    """Write a starter project into `folder`, which exists and is empty. Called by `mlm init`."""


@hookspec(firstresult=True)
def mlm_review(problem: Problem, context: Context) -> list[Finding]:
    """Say what is missing or risky in the problem statement. Called by `mlm review`, once a review."""


# Data


@hookspec(firstresult=True)
def mlm_version(context: Context) -> str | None:
    """Return a token that changes when the source's content does (a digest, a commit, a watermark).

    Part of the step's fingerprint, so it must be cheap. None, or no such method, means that settings and the content
    of `Path` settings say all.
    """


@hookspec(firstresult=True)
def mlm_read(context: Context) -> Dataset:
    """Read the source into `context.folder` with `context.writer()`. Row ids must be stable from read to read."""


@hookspec(firstresult=True)
def mlm_map(batch: Batch, context: Context) -> Batch:
    """Change or remove rows of a batch; the result must not depend on how rows fall into batches.

    Consecutive row-wise transforms are fused into one pass over the data, which may run in worker processes: the plugin
    object must be picklable there, and `context.load` loads a model once in each of them.
    """


@hookspec(firstresult=True)
def mlm_transform(data: Dataset, context: Context) -> Dataset:
    """Rewrite a whole dataset into `context.folder` with `context.writer()`, for what needs all rows at once."""


# Training, alignment, export


@hookspec(firstresult=True)
def mlm_import(context: Context) -> Model:
    """Bring a base model into `context.folder`, from a folder or a hub."""


@hookspec(firstresult=True)
def mlm_train(data: Dataset, model: Model | None, context: Context) -> Model:
    """Train `model` (or a new one, where it is None) on `data`; write the result into `context.folder`.

    Checkpoints go to `context.work`, which a restarted run finds again; curves go to `context.log`.
    """


@hookspec(firstresult=True)
def mlm_export(model: Model, context: Context) -> Model:
    """Write another form of `model` into `context.folder`."""


# Evaluation


@hookspec(firstresult=True)
def mlm_evaluate(model: Model, data: Dataset | None, context: Context) -> Report:
    """Measure `model` on `data`. The plugin's `metrics` attribute names what it measures.

    A class with `machine_bound = True` measures the machine too (timings), and is run again on another one.
    """


# Governance


@hookspec(firstresult=True)
def mlm_check(candidate: Candidate, context: Context) -> Verdict:
    """Say whether a model version may be promoted or admitted. Anything but a pass refuses, an exception too."""


@hookspec(firstresult=True)
def mlm_observe(event: StepEvent) -> None:
    """Hear of a step that started, ended or failed. Called for every policy; an exception is reported and ignored."""


# Deployment: asked once, at start; no hook is on the path of a request


@hookspec(firstresult=True)
def mlm_load(model: Model, context: Context) -> Engine:
    """Load an admitted model's weights and return an engine."""


@hookspec(firstresult=True)
def mlm_guard(context: Context) -> Guard:
    """Return a guard of prompts and completions."""


@hookspec(firstresult=True)
def mlm_postprocess(context: Context) -> Postprocessor:
    """Return a postprocessor of responses."""


@hookspec(firstresult=True)
def mlm_rollout(context: Context) -> Rollout:
    """Return what routes requests to arms and judges the next move."""


@hookspec(firstresult=True)
def mlm_apply(desired: Desired, context: Context) -> Observed:
    """Bring the target closer to `desired` and say what it serves now. Called by each reconciliation; idempotent."""


@hookspec(firstresult=True)
def mlm_serve(desired: Desired, context: Context) -> None:
    """Run the endpoint in this process until it is stopped. Called by `mlm serve`.

    Targets that live elsewhere lack it.
    """


# Monitoring, improvement, retirement


@hookspec(firstresult=True)
def mlm_measure(window: Window, context: Context) -> list[Signal]:
    """Measure a window of exchanges. The plugin's `metrics` attribute names what it measures."""


@hookspec(firstresult=True)
def mlm_improve(signals: list[Signal], window: Window, context: Context) -> Proposal | None:
    """Propose an improvement for signals that broke their set-point, or None where it has nothing to offer."""


@hookspec(firstresult=True)
def mlm_assess(version: Living, context: Context) -> Verdict:
    """Say whether a version may live on: `fail` retires it. An exception is inconclusive and retires nothing.

    A class that retires for broken requirements says so, `by_requirements: ClassVar[bool] = True`, and names the
    metrics that were broken in the evidence of its verdict: plans and reports show it beside the requirements.
    """


# The workshop


@hookspec(firstresult=True)
def mlm_execute(work: Callable[[], Any], context: Context) -> Any:
    """Run one step's work somewhere and return its result. The default runs it in this process."""


@hookspec(firstresult=True)
def mlm_spread(work: Callable[[Shard], int], shards: Sequence[Shard], context: Context) -> Iterator[int]:
    """Call `work` once with each shard, anywhere and in any order, and yield what it returns once it is there.

    Called for each pass of row-wise transforms. Work and shards can be pickled; they name files, so every worker must
    see the project's registry at the same path. An exception of `work` ends the pass. An executor without this hook
    leaves the pass to this process.
    """


@hookspec(firstresult=True)
def mlm_command() -> click.Command:
    """Return a click command that is added to `mlm`."""
