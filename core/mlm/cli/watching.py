"""Shows a run while it goes: a line a finished step, and a bar, or a line where there is no terminal, for the next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mlm.cli.showing import visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from mlm.context import Progress as Tell
    from mlm.results import StepResult, Watcher

_MARKS = {"ran": "ran", "cached": "cached", "failed": "FAILED", "skipped": "skipped", "waiting": "waiting"}


@contextmanager
def watch_run(count: int, *, quiet: bool = False) -> Iterator[Watcher]:
    """Return a watcher that prints to the terminal; nothing at all where `quiet`."""
    from mlm.results import Watcher

    if quiet:
        yield Watcher()
    elif sys.stdout.isatty():
        with _live() as watcher:
            yield watcher
    else:
        yield Watcher(
            started=lambda step: click.echo(f"{'started':<8}{' ' * 9}  {step.stage:<11}{step.name}"),
            ended=lambda result: click.echo(line(result)),
        )


@contextmanager
def _live() -> Iterator[Watcher]:
    from mlm.results import Watcher

    with _progress() as progress:
        bar = progress.add_task("", total=None, note="")
        advance = _advancing(progress, bar)

        def end(result: StepResult) -> None:
            progress.console.print(line(result), highlight=False, markup=False)

        yield Watcher(
            started=lambda step: progress.reset(bar, description=f"{step.stage} {step.name}", total=None, note=""),
            ended=end,
            progress=advance,
        )


@contextmanager
def watch(what: str, *, quiet: bool = False) -> Iterator[Tell]:
    """Return what shows the progress of one piece of work, on the terminal's error stream; silent without one."""
    from mlm.context import silent

    if quiet or not sys.stderr.isatty():
        yield silent
        return
    with _progress(stderr=True) as progress:
        yield _advancing(progress, progress.add_task(what, total=None, note=""))


def _progress(stderr: bool = False) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=stderr), transient=True)


def _advancing(progress: Progress, bar: TaskID) -> Tell:
    def advance(done: float, total: float | None = None, note: str = "") -> None:
        progress.update(bar, completed=done, total=total, note=note)

    return advance


def line(result: StepResult) -> str:
    """Return one line of a finished step."""
    seconds = f"{result.seconds:7.1f} s" if result.status not in ("cached", "skipped") else " " * 9
    told = result.error or "  ".join(filter(None, (result.output, result.detail)))
    if result.rows_in is not None:
        told += f"  {result.rows_in:,} -> {result.rows_out:,} rows"
    return f"{_MARKS[result.status]:<8}{seconds}  {result.stage:<11}{result.name:<24} {visible(told)}"
