"""How the steps of a run ended, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import frozen

from mlm.context import Progress, silent
from mlm.steps import Step

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
    """What a step that did not run lacks; of one that ran, the note of the model that it made."""
    rows_in: int | None = None
    """Rows that a data step read in this run; None for other steps, and where it did not run."""
    rows_out: int | None = None
    """Rows that it kept."""


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
