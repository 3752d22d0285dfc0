"""Runs the step graph: what is cached is skipped, what fails leaves nothing, what was interrupted resumes."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any, Literal

import attrs
from attrs import evolve, frozen

from mlm.artifacts import Report
from mlm.code import code_digest
from mlm.context import Context, Progress, silent
from mlm.errors import MlmError, Waiting, near_miss
from mlm.events import StepEvent
from mlm.fingerprints import environment, work_name
from mlm.handles import stored
from mlm.ledger import not_honoured
from mlm.locking import locked
from mlm.making import Artifact, made
from mlm.plan import Resolved, resolve
from mlm.scoring import scores_of
from mlm.steps import Step
from mlm.workspace import Workspace
from mlm_registry import Execution, Metric, Node, PluginUse, Registry

Status = Literal["ran", "cached", "failed", "skipped", "waiting"]


@frozen
class StepResult:
    """How one step of a run ended."""

    name: str
    stage: str
    status: Status
    seconds: float = 0.0
    output: str = ""
    error: str | None = None
    detail: str = ""


@frozen
class RunResult:
    """How a run ended."""

    run: str
    steps: tuple[StepResult, ...]

    @property
    def failed(self) -> list[StepResult]:
        return [step for step in self.steps if step.status == "failed"]

    @property
    def waiting(self) -> list[StepResult]:
        return [step for step in self.steps if step.status == "waiting"]


@frozen
class Watcher:
    """Hears how a run goes; the command line shows it."""

    started: Callable[[Step], None] = lambda step: None
    ended: Callable[[StepResult], None] = lambda result: None
    progress: Progress = silent


def run(workspace: Workspace, watcher: Watcher | None = None, only: set[str] | None = None) -> RunResult:
    """Run every step that is not cached, in order; a failed step stops only what needs it.

    Args:
        only: Names of steps to bring up to date, with all that they need; None means all.
    """
    watcher = watcher or Watcher()
    steps = _wanted(workspace.steps, only)
    with locked(workspace.project.registry / "run.lock", "another run is at work"):
        if broken := not_honoured(workspace.registry):
            raise MlmError(broken)
        workspace.registry.fail_running(None, "the process ended before the step did")
        name = time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:4]
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
    result, node = _Attempt(workspace, run_name, resolved, watcher.progress).run()
    if node:
        made[step.name] = node
    return result


class _Attempt:
    """One try at one step, from the running execution to its stored products or its recorded error."""

    def __init__(self, workspace: Workspace, run_name: str, resolved: Resolved, progress: Progress) -> None:
        self.workspace, self.resolved, self.step = workspace, resolved, resolved.step
        self.run_name = run_name
        self.registry: Registry = workspace.registry
        self.place = workspace.project.registry / "work" / work_name(resolved.fingerprint)
        self.progress = progress

    def run(self) -> tuple[StepResult, Node | None]:
        execution = self.registry.start(self._execution())
        started, cpu = time.monotonic(), _cpu_seconds()
        try:
            node = self._finish(execution, started, cpu, self._work(execution))
        except Waiting as waiting:
            return self._end(execution, started, cpu, "waiting", str(waiting)), None
        except KeyboardInterrupt:
            self._end(execution, started, cpu, "interrupted", "interrupted by the user")
            raise
        except (Exception, SystemExit) as error:
            if self.workspace.debugging:
                traceback.print_exc()
            return self._end(execution, started, cpu, "failed", explained(error)), None
        shutil.rmtree(self.place, ignore_errors=True)
        seconds = time.monotonic() - started
        self._tell("ran", seconds, _cpu_seconds() - cpu)
        return StepResult(self.step.name, self.step.stage, "ran", seconds, node.ref), node

    def _execution(self) -> Execution:
        binding = self.step.binding
        settings = dict(binding.settings)
        if self.step.chain:
            settings["steps"] = [{"use": name, **link.settings} for name, link, _ in self.step.chain]
        return Execution(
            step=self.step.name,
            stage=self.step.stage,
            run=self.run_name,
            plugin=binding.ref.identity,
            distribution=binding.ref.distribution,
            distribution_version=binding.ref.version,
            plugin_digest=code_digest(binding.cls),
            fingerprint=self.resolved.fingerprint,
            settings=_plain(settings),
            seed=self.workspace.project.seed,
            environment=environment(),
        )

    def _work(self, execution: Execution) -> Artifact:
        folder, work = self.place / "out", self.place / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        work.mkdir(exist_ok=True)
        context = evolve(
            self.workspace.context(self.step.name, folder, work),
            progress=self.progress,
            log=lambda at, values: self._log(execution, at, values),
        )
        product = self._made(context)
        if isinstance(product, Report):
            from mlm.pages.evaluation import write_report

            return write_report(product, self.step, self.resolved.inputs, folder)
        return product

    def _made(self, context: Context) -> Artifact:
        executor = self.workspace.executor
        if executor is None:
            return made(self.workspace, self.resolved, context)
        return executor.execute(lambda: made(self.workspace, self.resolved, context), context)

    def _log(self, execution: Execution, at: int, values: dict[str, float]) -> None:
        self.registry.log([Metric(execution.id, name, at, float(value)) for name, value in values.items()])

    def _finish(self, execution: Execution, started: float, cpu: float, made: Artifact) -> Node:
        node = stored(self.registry, self.step.name, made)
        seed = self.workspace.project.seed
        scores = scores_of(made, self.step, self.resolved.inputs, seed) if isinstance(made, Report) else []
        inputs = [(role, source.id, split or "") for role, source, split in self.resolved.inputs]
        done = self._timed(execution, started, cpu, status="ran")
        return self.registry.finish(done, outputs=[node], inputs=inputs, uses=self._uses(), scores=scores)[0]

    def _uses(self) -> list[PluginUse]:
        """Return the transforms of a data step's chain: a bad version of one has a reach too."""
        return [
            PluginUse(link.ref.identity, link.ref.distribution, link.ref.version, code_digest(link.cls))
            for _, link, _ in self.step.chain
        ]

    def _end(self, execution: Execution, started: float, cpu: float, status: Any, error: str) -> StepResult:
        # First of all: on a full disk this makes the room in which the end is recorded.
        shutil.rmtree(self.place / "out", ignore_errors=True)
        recorded = "interrupted" if status == "waiting" else status
        self.registry.finish(self._timed(execution, started, cpu, status=recorded, error=error))
        seconds = time.monotonic() - started
        shown: Status = "waiting" if status == "waiting" else "failed"
        self._tell(shown, seconds, _cpu_seconds() - cpu, error)
        return StepResult(self.step.name, self.step.stage, shown, seconds, error=error)

    def _timed(self, execution: Execution, started: float, cpu: float, **changes: Any) -> Execution:
        cpu_seconds = _cpu_seconds() - cpu
        price = self.workspace.project.problem.cost_per_cpu_hour_usd
        seconds = time.monotonic() - started
        cost = cpu_seconds / 3600 * price
        return attrs.evolve(execution, seconds=seconds, cpu_seconds=cpu_seconds, cost_usd=cost, **changes)

    def _tell(self, status: Any, seconds: float, cpu_seconds: float, error: str | None = None) -> None:
        event = StepEvent(self.run_name, self.step.name, self.step.stage, status, seconds, cpu_seconds, error)
        self.workspace.observe(event)


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process, and of those that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _plain(value: Any) -> Any:
    """Return settings as JSON types; a secret is written as the name of its variable."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if attrs.has(type(value)):
        return _plain(attrs.asdict(value))
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def explained(error: BaseException) -> str:
    """Say in one line what a step died of."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space left on device while writing {error.filename or 'a file'}: free some and run again"
    if isinstance(error, MlmError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    place = f"  [{os.path.basename(last.filename)}:{last.lineno}]" if last else ""
    return f"{type(error).__name__}: {error}{place}"
