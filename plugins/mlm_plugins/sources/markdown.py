"""Markdown, one row a document or a section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from attrs import define
from attrs.validators import in_

import mlm
from mlm_plugins.sources.lines import Fault
from mlm_plugins.sources.plain import Piece, TextFiles

# CommonMark 0.31: an ATX heading (4.2) and the fence of a code block (4.5), in which nothing is a heading.
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")


@define(kw_only=True)
class Markdown(TextFiles):
    """Reads Markdown files (.md): one row a section, which knows the headings above it, or a document.

    `text` is the Markdown as it stands, `heading` says where: `Guide > Install > From source`.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")

    by: str = mlm.setting(
        "section", validator=in_(("section", "document")), help="what a row is: a section, or a document (a whole file)"
    )

    def pieces(self, lines: Iterator[tuple[int, str] | Fault]) -> Iterator[Piece | Fault]:
        outline, fence = dict[int, str](), ""
        first, held, place = 1, list[str](), ""
        for line in lines:
            if isinstance(line, Fault):
                yield line
                continue
            number, text = line
            mark = _FENCE.match(text)
            heading = None if fence or mark else _HEADING.match(text)
            if mark:
                fence = _after_fence(fence, mark[1], mark[2])
            if heading:
                if self.by == "section" and any(held):
                    yield _piece(first, held, place)
                    held = []
                level = len(heading[1])
                outline = {depth: title for depth, title in outline.items() if depth < level}
                outline[level] = (heading[2] or "").strip()
                if self.by == "section" or not place:
                    place = " > ".join(outline.values())
            if text.strip() or held:
                first = first if held else number
                held.append(text)
        if any(held):
            yield _piece(first, held, place)


def _after_fence(fence: str, mark: str, rest: str) -> str:
    """Return the fence that is open after a line of this mark; empty for none."""
    if not fence:
        return mark
    closes = mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip()
    return "" if closes else fence


def _piece(first: int, held: list[str], place: str) -> Piece:
    return first, {"text": "\n".join(held).rstrip(), "heading": place}
