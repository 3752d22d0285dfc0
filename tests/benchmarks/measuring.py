"""What a benchmark is: two measures, ours and a peer's, taken in turns within one run."""

from __future__ import annotations

import operator
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from attrs import field, frozen

Measure = Callable[[], float]
Pair = tuple[Measure, Measure]
_COMPARISONS = {"<=": operator.le, ">=": operator.ge}


@frozen
class Size:
    """How much a benchmark may take: its own folder, and whether a quick look is enough."""

    folder: Path
    quick: bool = False

    def of(self, whole: int, quick: int) -> int:
        """Return how many, by whether the run is quick."""
        return quick if self.quick else whole


@frozen
class Result:
    """One line of the table: medians over the rounds, and the median of the rounds' ratios."""

    name: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    goal: str

    @property
    def ok(self) -> bool:
        """Say whether the goal is met; `<=` is for costs, `>=` for rates."""
        sign, _, limit = self.goal.partition(" ")
        return bool(_COMPARISONS[sign](self.ratio, float(limit)))

    def row(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "peer_name": self.peer_name,
            "ratio": self.ratio,
            "goal": self.goal,
            "ok": self.ok,
        }


@frozen
class Benchmark:
    """A subject: `prepare` gives the measure of ours and the peer's, in the unit that `what` names."""

    key: str
    what: str
    peer: str
    goal: str
    rounds: int
    needs_peers: bool
    """Whether other systems must be installed."""
    prepare: Callable[[Size], AbstractContextManager[Pair]] = field(repr=False)

    def run(self, size: Size) -> Result:
        """Measure both in turns; each goes first in every other round."""
        with self.prepare(size) as (ours, peer):
            taken = [_in_turns(ours, peer, turn) for turn in range(2 if size.quick else self.rounds)]
        mine, theirs = zip(*taken, strict=True)
        ratio = statistics.median(a / b for a, b in taken)
        name = f"{self.key}: {self.what}"
        return Result(name, statistics.median(mine), statistics.median(theirs), self.peer, ratio, self.goal)


def _in_turns(ours: Measure, peer: Measure, turn: int) -> tuple[float, float]:
    if turn % 2:
        other = peer()
        return ours(), other
    mine = ours()
    return mine, peer()


BENCHMARKS: list[Benchmark] = []


def benchmark(
    key: str, what: str, *, peer: str, goal: str, rounds: int = 5, needs_peers: bool = False
) -> Callable[[Callable[[Size], Iterator[Pair]]], None]:
    """Register a generator function that prepares, yields (ours, peer) and cleans up.

    Args:
        key: What `--only` takes.
        what: What is measured, and its unit.
        peer: What ours is compared with.
        goal: Limit of ours / peer, such as `<= 1.5` for a cost or `>= 2` for a rate.
        rounds: How often both are measured.
        needs_peers: Whether the peer is a system of `make peers`.
    """

    def register(function: Callable[[Size], Iterator[Pair]]) -> None:
        BENCHMARKS.append(Benchmark(key, what, peer, goal, rounds, needs_peers, contextmanager(function)))

    return register


def cpu(work: Callable[[], object], times: int = 1) -> float:
    """Return the CPU seconds that one call takes in this process, in all its threads."""
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times


def cpu_of(command: Sequence[str], **variables: str) -> float:
    """Return the CPU seconds that a process takes from its start to its end.

    It may keep its bytecode, as a user's does: compiling the sources each time would be most of what is measured.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= variables
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
