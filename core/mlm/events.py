"""What policies observe."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class StepEvent:
    """A step of a run started, ran, failed, was cached, or waits."""

    run: str
    step: str
    stage: str
    status: Literal["started", "ran", "failed", "cached", "waiting"]
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    error: str | None = None
