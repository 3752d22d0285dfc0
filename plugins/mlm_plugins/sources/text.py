"""Plain text, one row a line, a paragraph or a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from attrs import define
from attrs.validators import in_

import mlm
from mlm_plugins.sources.lines import Fault
from mlm_plugins.sources.plain import Piece, TextFiles


@define(kw_only=True)
class Text(TextFiles):
    """Reads text files (.txt): one row for each line, paragraph or document that is not blank."""

    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".text")

    by: str = mlm.setting(
        "line",
        validator=in_(("line", "paragraph", "document")),
        help="what a row is: a line, a paragraph (blank lines are between them) or a document (a whole file)",
    )

    def pieces(self, lines: Iterator[tuple[int, str] | Fault]) -> Iterator[Piece | Fault]:
        first, held, size = 0, list[str](), 0
        for line in lines:
            if isinstance(line, Fault):
                yield line
                continue
            number, text = line
            blank = not text.strip()
            if self.by == "line":
                if not blank:
                    yield number, {"text": text}
            elif held and ((blank and self.by == "paragraph") or size > self.max_row_bytes):
                yield first, {"text": "\n".join(held)}
                held, size = ([] if blank else [text]), len(text)
                first = number
            elif held or not blank:
                first = first if held else number
                held.append(text)
                size += len(text) + 1
        if held:
            yield first, {"text": "\n".join(held).rstrip("\n")}
