"""Who hears how far the moving of bytes is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int], None]
"""Hears how many bytes were moved."""


def silent(count: int) -> None:
    """Tell nobody."""
