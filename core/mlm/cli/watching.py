"""Shows a run while it goes: a line a finished step, a bar for the one at work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mlm.runner import StepResult, Watcher

_MARKS = {"ran": "ran", "cached": "cached", "failed": "FAILED", "skipped": "skipped", "waiting": "waiting"}


@contextmanager
def watch_run(count: int, *, quiet: bool = False) -> Iterator[Watcher]:
    """Return a watcher that prints to the terminal; nothing at all where `quiet`."""
    from mlm.runner import Watcher

    if quiet:
        yield Watcher()
    elif sys.stdout.isatty():
        with _live() as watcher:
            yield watcher
    else:
        yield Watcher(ended=lambda result: click.echo(line(result)))


@contextmanager
def _live() -> Iterator[Watcher]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from mlm.runner import Watcher

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task("", total=None, note="")

        def advance(done: float, total: float | None = None, note: str = "") -> None:
            progress.update(bar, completed=done, total=total, note=note)

        def end(result: StepResult) -> None:
            progress.console.print(line(result), highlight=False, markup=False)

        yield Watcher(
            started=lambda step: progress.reset(bar, description=f"{step.stage} {step.name}", total=None, note=""),
            ended=end,
            progress=advance,
        )


def line(result: StepResult) -> str:
    """Return one line of a finished step."""
    seconds = f"{result.seconds:7.1f} s" if result.status not in ("cached", "skipped") else " " * 9
    told = result.error or result.detail or result.output
    return f"{_MARKS[result.status]:<8}{seconds}  {result.stage:<11}{result.name:<24} {told}"
