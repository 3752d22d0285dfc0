"""Numbers, sizes and times as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime


def quantity(value: float | None, unit: str = "") -> str:
    """Write a measured value in its unit: shares as percentages, seconds and bytes in a fitting size."""
    if value is None or not math.isfinite(value):
        return "—"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "seconds":
        return duration(value)
    if unit == "bytes":
        return size(value)
    return f"{number(value)} {unit}".rstrip()


def bare(value: float | None, unit: str = "") -> str:
    """Write a measured value without its unit, where that stands elsewhere; shares, times and sizes keep theirs."""
    return quantity(value, unit if unit in ("share", "seconds", "bytes") else "")


def number(value: float) -> str:
    """Write a number with three or four digits that matter."""
    if not math.isfinite(value):
        return "—"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if 0 < abs(value) < 1e-3:
        return f"{value:.2g}"
    return f"{value:.4g}"


def duration(seconds: float) -> str:
    """Write a duration: microseconds to days."""
    if seconds < 0.001:
        return f"{1e6 * seconds:.0f} µs"
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours / 24:.0f} d"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def size(value: float) -> str:
    """Write a number of bytes in decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def moment(at: float) -> str:
    """Write a time in UTC, to the minute."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" if at else "—"
