"""What reviews, checks, policies, executors and starters keep to."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from attrs import evolve, frozen

from mlm.calls import Plugin
from mlm.context import Context
from mlm.errors import PluginError
from mlm.events import StepEvent
from mlm.intent import Candidate
from mlm.problem import Problem
from mlm.project import load_project
from mlm.shards import Shard
from mlm.testing.bench import Bench, digest_of, files_of
from mlm.testing.checking import Broken, check, demand
from mlm.verdicts import Verdict
from mlm_registry import ModelVersion, Node


@check("reviews")
def reviews_any_problem(bench: Bench) -> None:
    """An empty problem and a full one are reviewed; a finding has code, title and severity."""
    for problem in (Problem("p", "chat", ""), Problem("p", "chat", "Answer.", "ann", "limited", ("spam",), ("short",))):
        for finding in bench.plugin().review(problem, bench.context()):
            demand(bool(finding.code and finding.title), f"a finding has no code or no title: {finding}")
            demand(finding.severity in ("note", "gap", "risk", "error"), f"its severity is {finding.severity!r}")


@check("checks")
def gives_a_reason_with_each_refusal(bench: Bench) -> None:
    """What it does not pass has a code and a reason; raising is a refusal too."""
    verdicts = [_verdict(bench.plugin(), candidate, bench.context()) for candidate in _candidates(bench)]
    demand(any(verdict is not None for verdict in verdicts), "it raises for every candidate, and never decides")
    for verdict in verdicts:
        said = verdict is None or verdict.passed or bool(verdict.code and verdict.reason)
        demand(said, f"it says {verdict and verdict.outcome} without a code and a reason")


@check("checks")
def decides_the_same_again_and_writes_nothing(bench: Bench) -> None:
    """The same candidate gets the same verdict, and nothing is written anywhere."""
    for candidate in _candidates(bench):
        plugin, context = bench.plugin(), bench.context()
        before = files_of(bench.folder)
        first, second = (_verdict(plugin, candidate, context) for _ in range(2))
        demand(first == second, f"the same candidate got {first}, then {second}")
        demand(files_of(bench.folder) == before, "it wrote a file; a check looks and decides")


@check("policies")
def bears_every_event(bench: Bench) -> None:
    """It hears of every way in which a step may go, and returns."""
    plugin = bench.plugin()
    for status in ("started", "cached", "ran", "failed", "waiting"):
        error = "it broke" if status == "failed" else None
        try:
            plugin.observe(StepEvent("run-1", "chat", "training", status, 1.0, 1.0, error))
        except Exception as raised:
            raise Broken(f"it raised {raised!r} when a step {status}; an observer hears, and returns") from raised


@check("executors")
def runs_the_work_once_and_passes_on_what_it_raises(bench: Bench) -> None:
    """The work runs once; its result comes back, and so does its error."""
    calls: list[int] = []

    def work() -> str:
        calls.append(1)
        return "made"

    made = bench.plugin().execute(work, bench.context())
    demand(made == "made" and len(calls) == 1, f"the work ran {len(calls)} times and came back as {made!r}")

    def breaks() -> str:
        calls.append(2)
        raise ZeroDivisionError("in the step")

    try:
        bench.plugin().execute(breaks, bench.context())
    except ZeroDivisionError:
        demand(calls.count(2) == 1, f"work that fails ran {calls.count(2)} times")
        return
    raise Broken("what the work raises does not come back: a failed step would be recorded as one that ran")


@check("executors")
def runs_every_shard_once_and_passes_on_what_it_raises(bench: Bench) -> None:
    """Each shard of a pass runs once, wherever; what it raises comes back."""
    plugin, context = bench.plugin(), bench.context()
    if not plugin.implements("mlm_spread"):
        return
    shards = [Shard(number, context.work / "data.parquet", (0,), 10 + number) for number in range(5)]
    rows = list(plugin.spread(_Marks(context.work), shards, context))
    demand(sorted(rows) == [10, 11, 12, 13, 14], f"work on five shards of 10 to 14 rows came back as {rows}")
    marks = [len(list(context.work.glob(f"{shard.number}-*"))) for shard in shards]
    demand(marks == [1] * 5, f"five shards ran {marks} times")
    try:
        list(plugin.spread(_Marks(context.work, breaks=3), shards, context))
    except ZeroDivisionError:
        return
    raise Broken("what the work raises does not come back: rows of a failed shard would be missing")


@frozen
class _Marks:
    """Work that leaves a file at each call, and fails at one shard."""

    folder: Path
    breaks: int = -1

    def __call__(self, shard: Shard) -> int:
        if shard.number == self.breaks:
            raise ZeroDivisionError("in the shard")
        (self.folder / f"{shard.number}-{uuid4().hex}").touch()
        return shard.rows


@check("starters")
def writes_a_project_that_can_be_read(bench: Bench) -> None:
    """It writes an `mlm.toml` that loads, and the same files for the same seed."""
    folders = [bench.context(seed=1).folder for _ in range(2)]
    for folder in folders:
        bench.plugin().start(folder, 1)
    project = load_project(folders[0])
    demand(bool(project.steps), "its project has no step")
    demand(digest_of(folders[0]) == digest_of(folders[1]), "the same seed wrote other files")


def _verdict(plugin: Plugin, candidate: Candidate, context: Context) -> Verdict | None:
    """Ask a check; None where it raises, which refuses as well."""
    try:
        return plugin.check(candidate, context)
    except PluginError:
        raise
    except Exception:
        return None


def _candidates(bench: Bench) -> list[Candidate]:
    """Make candidates from one of which everything is known to one of which nothing is."""
    node = Node("chat", "model", "0" * 64, id=1, version=1, metadata={"library": "scripted", "license": "apache-2.0"})
    known = Candidate(ModelVersion(node, "candidate"), bench.model(), "promote")
    bare = evolve(node, metadata={})
    return [known, evolve(known, action="admit"), evolve(known, version=ModelVersion(bare, "candidate"))]
