"""Web archives: WARC (ISO 28500), and Common Crawl's WET (text) and WAT (metadata)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import ClassVar

from attrs import define

import mlm
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.lines import HEAD_BYTES, Fault, damage
from mlm_plugins.sources.pages import COLUMNS, NoPage, page_row, table_of
from mlm_plugins.sources.reading import Files, sized
from mlm_plugins.sources.streams import DAMAGE
from mlm_plugins.sources.warc_records import Record, records

Row = tuple[int, dict[str, str | None], bytes]


@define(kw_only=True)
class Warc(Files):
    """Reads web archives (.warc, .wet, .wat): the main text of pages, WET's text, WAT's metadata as JSON.

    A row is a response, a conversion or a record of JSON metadata; requests and notes on the crawl are none. Pages
    without text, answers that are no page, and those of another status than 200 are set aside with that reason. A
    record whose Content-Length is false is one that cannot be read; reading goes on where the next begins. A length
    above `max_row_bytes` counts as false where another record seems to begin more than so many bytes before its end.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".warc", ".wet", ".wat")
    unit: ClassVar[str] = "record"

    extract: bool = mlm.setting(True, help="write a page's main text; otherwise the page itself, as `html`")

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        ids, names = RowIds(), (*COLUMNS, "metadata") if self.extract else (*COLUMNS, "html", "metadata")
        with context.writer() as writer:
            for name, file in self.files(context):
                for chunk in sized(self._rows(file)):
                    removed = self.removals(name, file, chunk.faults, ids)
                    writer.write(mlm.Batch(table_of(chunk, names, name, ids), removed))
        return writer.dataset

    def _rows(self, file: Path) -> Iterator[Row | Fault]:
        number = 0
        try:
            for number, record in enumerate(records(file, self.max_row_bytes), start=1):
                if row := self._row(number, record):
                    yield row
        except DAMAGE as error:
            yield damage(number + 1, "record", error)

    def _row(self, number: int, record: Record) -> Row | Fault | None:
        headers, block = record.headers, record.block
        kind, content_type, head = headers.get("warc-type", ""), headers.get("content-type", ""), block[:HEAD_BYTES]
        if record.fault:
            return Fault(number, record.fault, head, record.reason)
        is_metadata = kind == "metadata" and "json" in content_type
        if not is_metadata and kind not in ("response", "conversion", "resource"):
            return None
        if record.length > self.max_row_bytes:
            return Fault(number, f"{record.length} bytes are more than max_row_bytes = {self.max_row_bytes}", head)
        row: dict[str, str | None] = {"url": headers.get("warc-target-uri", ""), "date": headers.get("warc-date")}
        if is_metadata:
            return _metadata_row(number, row, block)
        if kind != "response":
            return self._made(number, row, block, content_type or ("text/plain" if kind == "conversion" else ""))
        try:
            status, content_type, content = _answer(block, self.max_row_bytes)
        except Exception as error:  # warcio's readers raise what the bytes make them.
            return Fault(number, f"the answer cannot be read: {error}", head)
        if status != "200":
            return Fault(number, f"the server answered {status}", head, "http-status")
        return self._made(number, row, content, content_type)

    def _made(self, number: int, row: dict[str, str | None], content: bytes, kind: str) -> Row | Fault:
        made = page_row(content, kind, extract=self.extract)
        if isinstance(made, NoPage):
            return Fault(number, f"{row['url']}: {made.detail}", content[:HEAD_BYTES], made.reason)
        return number, row | made, content


def _answer(block: bytes, limit: int) -> tuple[str, str, bytes]:
    """Return (status, content type, body) of an HTTP answer; the body is decoded, and no longer than the limit."""
    from warcio.recordloader import ArcWarcRecord
    from warcio.statusandheaders import StatusAndHeadersParser

    stream = BytesIO(block)
    http = StatusAndHeadersParser(["HTTP/"]).parse(stream)
    record = ArcWarcRecord("warc", "response", None, stream, http, "", len(block))
    content = record.content_stream().read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it holds more than max_row_bytes = {limit}")
    status = http.statusline.split()[1]  # After the version of HTTP.
    return status, http.get_header("Content-Type") or "", content


def _metadata_row(number: int, row: dict[str, str | None], content: bytes) -> Row | Fault:
    try:
        text = content.decode()
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return Fault(number, f"the metadata is no JSON: {error}", content[:HEAD_BYTES])
    return number, row | {"content_type": "application/json", "metadata": text}, content
