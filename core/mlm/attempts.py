"""One try at one step: what it makes is stored whole, what fails leaves nothing but its error."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import time
import traceback
from typing import Any

import attrs
from attrs import evolve

from mlm.artifacts import Report
from mlm.code import code_digest
from mlm.context import Context, Progress
from mlm.errors import MlmError, Waiting
from mlm.events import StepEvent
from mlm.fingerprints import environment, work_name
from mlm.handles import stored
from mlm.making import Artifact, made
from mlm.plan import Resolved
from mlm.results import Status, StepResult
from mlm.scoring import scores_of
from mlm.workspace import Workspace
from mlm_registry import Execution, Metric, Node, PluginUse, Registry


class Attempt:
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
        chain = node.metadata.get("chain", ())
        rows = {"rows_in": chain[0]["rows_in"], "rows_out": chain[-1]["rows_out"]} if chain else {}
        result = StepResult(self.step.name, self.step.stage, "ran", seconds, node.ref, detail=self._note(node), **rows)
        return result, node

    def _note(self, made: Node) -> str:
        """Return the note of what was made, but one that an input has already: exports keep what their model says."""
        note = made.metadata.get("note", "")
        return "" if any(node.metadata.get("note") == note for _, node, _ in self.resolved.inputs) else str(note)

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
        self.registry.finish(self._timed(execution, started, cpu, status=status, error=error))
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
