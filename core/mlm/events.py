"""What policies observe."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class StepEvent:
    """A step of a run started, ran, failed, was cached, or waits."""

    run: str
    """Name of the run."""
    step: str
    """Name of the step."""
    stage: str
    """Section of the project file that the step is in."""
    status: Literal["started", "ran", "failed", "cached", "waiting"]
    """What happened."""
    seconds: float = 0.0
    """How long it took."""
    cpu_seconds: float = 0.0
    """Processor time that it took, with that of its processes."""
    error: str | None = None
    """What it failed of."""
