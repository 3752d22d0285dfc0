"""A web page as a row, wherever it was fetched."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from email.message import Message
from typing import Any

from attrs import frozen

from mlm_plugins.detectors.html import main_text
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.reading import Chunk

COLUMNS = ("url", "date", "content_type", "title", "text")
HTML = ("text/html", "application/xhtml+xml")


@frozen
class NoPage:
    """Why there is no row for what a server sent."""

    reason: str
    detail: str


def page_row(content: bytes, content_type: str, *, extract: bool) -> dict[str, str | None] | NoPage:
    """Return the columns that a page's bytes give, by its Content-Type, or why they give none."""
    kind, charset = content_type.partition(";")[0].strip().lower(), _charset(content_type)
    if kind == "text/plain":
        text = content.decode(charset or "utf-8", "replace").strip()
        return {"content_type": kind, "text": text} if text else _EMPTY
    if kind and kind not in HTML:
        return NoPage("not-html", f"{kind} is no page")
    html = content.decode(charset, "replace") if charset else content
    if not extract:
        page = html if isinstance(html, str) else content.decode("utf-8", "replace")
        return {"content_type": kind, "html": page} if page.strip() else _EMPTY
    found = main_text(html)
    return {"content_type": kind, "title": found.title, "text": found.text} if found.text else _EMPTY


def _charset(content_type: str) -> str:
    """Return the charset that a Content-Type names, where it is one."""
    message = Message()
    message["Content-Type"] = content_type
    try:
        return codecs.lookup(message.get_content_charset() or "").name
    except LookupError:
        return ""


_EMPTY = NoPage("no-text", "no text was found")


def table_of(chunk: Chunk, names: Sequence[str], file: str, ids: RowIds) -> Any:
    """Return rows of text columns as a table, with ids and sources."""
    import pyarrow as pa

    keys = [f"{row['url']}\0".encode() + raw for row, raw in zip(chunk.values, chunk.raws, strict=True)]
    columns = {"row_id": ids.of(keys), "source": [f"{file}:{number}" for number in chunk.numbers]}
    columns |= {name: [row.get(name) for row in chunk.values] for name in names}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
