"""What the control loop did, or waits for."""

from __future__ import annotations

from attrs import frozen


@frozen
class Action:
    """One thing that was done, or that waits for somebody or something."""

    kind: str
    subject: str
    text: str
    waiting: bool = False
    failed: bool = False
