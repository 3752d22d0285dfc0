"""Runs the step graph: what is cached is skipped, what fails leaves nothing, what was interrupted resumes."""

from __future__ import annotations

import os
import time

from mlm.errors import MlmError, near_miss
from mlm.events import StepEvent
from mlm.honouring import not_honoured
from mlm.locking import locked
from mlm.plan import resolve
from mlm.results import RunResult, StepResult, Watcher
from mlm.steps import Step, check_step_files
from mlm.workspace import Workspace
from mlm_registry import Node


def run(workspace: Workspace, watcher: Watcher | None = None, only: set[str] | None = None) -> RunResult:
    """Run every step that is not cached, in order; a failed step stops only what needs it.

    Args:
        only: Names of steps to bring up to date, with all that they need; None means all.
    """
    watcher = watcher or Watcher()
    steps = _wanted(workspace.steps, only)
    check_step_files(steps)
    with locked(workspace.project.registry / "run.lock", "another run is at work"):
        if broken := not_honoured(workspace.registry):
            raise MlmError(broken)
        workspace.registry.fail_running(None, "the process ended before the step did")
        name = time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + os.urandom(2).hex()
        made: dict[str, Node] = {}
        results: list[StepResult] = []
        for step in steps:
            result = _step(workspace, name, step, made, watcher)
            results.append(result)
            watcher.ended(result)
    return RunResult(name, tuple(results))


def _wanted(steps: list[Step], only: set[str] | None) -> list[Step]:
    if only is None:
        return steps
    needed = set(only)
    for step in reversed(steps):
        if step.name in needed or step.name.partition(":")[0] in needed:
            needed |= {step.name, *step.needs}
    known = {s.name for s in steps} | {s.name.partition(":")[0] for s in steps}
    unknown = sorted(only - known)
    if unknown:
        raise MlmError(f"no step is named '{unknown[0]}'{near_miss(unknown[0], known)}")
    return [step for step in steps if step.name in needed]


def _step(workspace: Workspace, run_name: str, step: Step, made: dict[str, Node], watcher: Watcher) -> StepResult:
    try:
        resolved = resolve(workspace.project, step, made, workspace.registry)
    except MlmError as error:
        return StepResult(step.name, step.stage, "failed", error=str(error))
    if resolved is None:
        missing = [name for name in step.needs if name not in made]
        return StepResult(step.name, step.stage, "skipped", detail=f"needs {', '.join(missing)}")
    if resolved.output:
        made[step.name] = resolved.output
        workspace.observe(StepEvent(run_name, step.name, step.stage, "cached"))
        return StepResult(step.name, step.stage, "cached", output=resolved.output.ref)
    watcher.started(step)
    workspace.observe(StepEvent(run_name, step.name, step.stage, "started"))
    from mlm.attempts import Attempt

    result, node = Attempt(workspace, run_name, resolved, watcher.progress).run()
    if node:
        made[step.name] = node
    return result
