"""Starters, a review, an executor and a command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from attrs import define

import mlm

SKETCH = """seed = {seed}

[problem]
name = "sketch"
task = "chat"
purpose = "Show the smallest project."

[data.greetings]
use = "pairs"
rows = {{ hello = "Good morning." }}
"""


@define(kw_only=True)
class Sketch:
    """The smallest project."""

    @mlm.hookimpl
    def mlm_start(self, folder: Path, seed: int) -> None:
        (folder / "mlm.toml").write_text(SKETCH.format(seed=seed), encoding="utf-8")


@define(kw_only=True)
class HalfDone:
    """Stops half way."""

    @mlm.hookimpl
    def mlm_start(self, folder: Path, seed: int) -> None:
        (folder / "mlm.toml").write_text("seed = 1", encoding="utf-8")
        raise mlm.DataError("the template has no end")


@define(kw_only=True)
class Nag:
    """Finds that the purpose could be longer."""

    @mlm.hookimpl
    def mlm_review(self, problem: mlm.Problem) -> list[mlm.Finding]:
        return [mlm.Finding("purpose", f"the purpose has {len(problem.purpose.split())} words", "gap", "nagging")]


@define(kw_only=True)
class Thread:
    """Runs each step in a thread of its own."""

    @mlm.hookimpl
    def mlm_execute(self, work: Callable[[], Any], context: mlm.Context) -> Any:
        made: list[Any] = []
        thread = threading.Thread(target=lambda: made.append(work()), name=f"step {context.step}")
        thread.start()
        thread.join()
        return made[0]

    @mlm.hookimpl
    def mlm_spread(self, work: Callable[[Any], int], shards: Sequence[Any]) -> Iterator[int]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1, "elsewhere") as pool:
            yield from pool.map(work, reversed(shards))


@define(kw_only=True)
class Greet:
    """Adds `mlm greet`."""

    @mlm.hookimpl
    def mlm_command(self) -> click.Command:
        @click.command()
        @click.argument("name")
        def greet(name: str) -> None:
            """Say good morning to NAME."""
            click.echo(f"Good morning, {name}.")

        return greet
