"""Whole processes: a run that has nothing to do, and the first help page."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.closure import ANCESTORS, PIPELINE, pipelines, plant
from tests.benchmarks.measuring import Pair, Size, benchmark, cpu_of
from tests.plugins_for_tests.making import distribution

from mlm_registry import Registry

MLM = [sys.executable, "-m", "mlm"]
LIMIT_MS = 200.0
TRACE_LIMIT_MS = 250.0
SLOW = """
import time
end = time.process_time() + 0.2
while time.process_time() < end:
    pass
"""
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


@benchmark(
    "help-plugins",
    "`mlm --help` with 30 distributions that import for 0.2 s each, ms of CPU of the process",
    peer="the same without them",
    goal="<= 1.25",
    rounds=15,
)
def help_among_plugins(size: Size) -> Iterator[Pair]:
    site, cache = installed(size), str(size.folder / "cache")
    yield lambda: 1000 * help_of(site, cache), lambda: 1000 * help_of("", cache)


@benchmark(
    "help-plugins-new",
    "the same right after an installation, when nothing is remembered, ms of CPU of the process",
    peer="the same without them",
    goal="<= 1.25",
    rounds=15,
)
def first_help_among_plugins(size: Size) -> Iterator[Pair]:
    site, nowhere = installed(size), os.devnull
    yield lambda: 1000 * help_of(site, nowhere), lambda: 1000 * help_of("", nowhere)


def installed(size: Size) -> str:
    """Install the distributions into a folder, an hour ago: what has just changed is not remembered."""
    site = size.folder / "site"
    for number in range(size.of(30, 3)):
        distribution(site, f"acme-{number}", {f"trainers/slow{number}": "Trainer"}, SLOW)
    then = time.time() - 3600
    os.utime(site, (then, then))
    return str(site)


def help_of(site: str, cache: str) -> float:
    """Return the CPU seconds of `mlm --help` with a folder of distributions on the path."""
    return cpu_of([*MLM, "--help"], PYTHONPATH=site, XDG_CACHE_HOME=cache)
