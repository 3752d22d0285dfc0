"""Whole processes: a run that has nothing to do, and the first help page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.closure import ANCESTORS, PIPELINE, pipelines, plant
from tests.benchmarks.measuring import Pair, Size, benchmark, cpu_of

from mlm_registry import Registry

MLM = [sys.executable, "-m", "mlm.cli"]
LIMIT_MS = 200.0
TRACE_LIMIT_MS = 250.0
PROJECT = """
[problem]
name = "idle"
task = "chat"
purpose = "Have nothing to do."
"""


@benchmark(
    "idle-run",
    "`mlm run` of 100 steps that are all up to date, ms of CPU of the process",
    peer="the limit of 200 ms",
    goal="<= 1.2",
)
def idle_run(size: Size) -> Iterator[Pair]:
    command = up_to_date(size.folder, size.of(100, 5))
    yield lambda: 1000 * cpu_of(command), lambda: LIMIT_MS


def up_to_date(folder: Path, count: int) -> list[str]:
    """Write a project of some data steps over one file, run it, and return the command that runs it again."""
    (folder / "rows.jsonl").write_text("".join(json.dumps({"text": f"row {n}"}) + "\n" for n in range(20)))
    steps = "".join(f'[data.step{n}]\nuse = "jsonl"\npath = "rows.jsonl"\n' for n in range(count))
    (folder / "mlm.toml").write_text(PROJECT + steps)
    command = [*MLM, "-C", str(folder), "run"]
    cpu_of(command)
    return command


@benchmark(
    "trace",
    "`mlm trace` of 60 ancestors in a registry of 1e6 edges, ms of CPU of the process",
    peer="the limit of 250 ms",
    goal="<= 1",
)
def trace(size: Size) -> Iterator[Pair]:
    nodes = size.of(500_000, 2_000)
    (size.folder / "mlm.toml").write_text(PROJECT)
    with Registry.open(size.folder / ".mlm") as registry:
        plant(registry, nodes, pipelines(nodes))
    command = [*MLM, "-C", str(size.folder), "trace", f"node{nodes - PIPELINE + ANCESTORS + 1}"]
    yield lambda: 1000 * cpu_of(command), lambda: TRACE_LIMIT_MS


@benchmark("help", "`mlm --help`, ms of CPU of the process", peer="a process that imports click", goal="<= 2", rounds=9)
def first_help(size: Size) -> Iterator[Pair]:
    cpu_of([*MLM, "--help"])
    yield (
        lambda: 1000 * cpu_of([*MLM, "--help"]),
        lambda: 1000 * cpu_of([sys.executable, "-c", "import click"]),
    )
