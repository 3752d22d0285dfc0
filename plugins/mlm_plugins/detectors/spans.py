"""Places of a text that hold what should not be in it, and the text without them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """An entity of a kind at text[start:end]."""

    kind: str
    start: int
    end: int


def named(span: Span, found: str) -> str:
    """Return what stands for an entity: its kind, such as `<EMAIL>`."""
    return f"<{span.kind.upper()}>"


def replaced(text: str, spans: Iterable[Span], mask: Callable[[Span, str], str] = named) -> str:
    """Return the text with each span, in order and without overlap, replaced by its mask."""
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], mask(span, text[span.start : span.end])]
        end = span.end
    return "".join([*parts, text[end:]])
