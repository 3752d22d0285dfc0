"""How commands print rows: a line a value, or all of its lines; of two long texts, where they part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

_WIDTH = 160
_BEFORE = 40
"""Characters that are shown before the first in which two long texts differ."""
_UNSEEN = {*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {ord("\t"), ord("\n")}
_SEEN = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _UNSEEN}
"""Controls of a terminal and of the direction of text, as they are printed."""
_KNOWN = ("row_id", "source", "step", "reason", "detail", "before")


def counted(number: int, name: str) -> str:
    """Write how many of something there are: `1 row`, `2 rows`."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def visible(text: str) -> str:
    """Write out what a terminal would obey: data may hold what clears a screen or turns a line around."""
    return text.translate(_SEEN)


def one_line(text: str) -> str:
    """Write a text in one line of at most 160 characters."""
    flat = visible(" | ".join(text.splitlines()))
    return flat if len(flat) <= _WIDTH else flat[: _WIDTH - 3] + "..."


def print_row(row: Mapping[str, Any], full: bool = False) -> None:
    """Print a row: its id and source, why it went or was changed, and a line a value; `full` shows all of its lines."""
    from mlm.rows.wording import because, worded

    why = because(row.get("step"), row.get("reason"), row.get("detail"))
    click.echo(visible(f"{row.get('row_id')}  {row.get('source', '')}  {why}".rstrip()))
    before = row.get("before") or {}
    for name, value in row.items():
        if name in before:
            print_parting(name, worded(before[name]), worded(value), full)
        elif name not in _KNOWN and value not in (None, ""):
            click.echo(f"  {visible(name):<11} {laid_out(worded(value), full)}")


def print_parting(name: str, before: str, after: str, full: bool = False) -> None:
    """Print what a column held before and holds after, a line each; of long texts the part where they differ."""
    apart = next((place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    start = (min(len(before), len(after)) if apart is None else apart) - _BEFORE
    cut = not full and start > 0 and max(len(before), len(after)) > _WIDTH
    for sign, text in (("-", before), ("+", after)):
        click.echo(f"  {sign} {visible(name)}: {laid_out('...' + text[start:] if cut else text, full)}".rstrip())


def laid_out(text: str, full: bool) -> str:
    """Write a text in one line, or whole with its further lines indented."""
    return visible(text).replace("\n", "\n" + " " * 14) if full else one_line(text)
