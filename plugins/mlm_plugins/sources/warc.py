"""Web archives: WARC (ISO 28500), and Common Crawl's WET (text) and WAT (metadata)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

from attrs import define

import mlm
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.lines import HEAD_BYTES, Fault, damage
from mlm_plugins.sources.pages import COLUMNS, NoPage, page_row, table_of
from mlm_plugins.sources.reading import Files, sized
from mlm_plugins.sources.streams import DAMAGE, raw_blocks

Row = tuple[int, dict[str, str | None], bytes]


@define(kw_only=True)
class Warc(Files):
    """Reads web archives (.warc, .wet, .wat): the main text of pages, WET's text, WAT's metadata as JSON.

    A row is a response, a conversion or a record of JSON metadata; requests and notes on the crawl are none. Pages
    without text, answers that are no page, and those of another status than 200 are set aside with that reason.
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
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed

        number = 0
        try:
            for record in ArchiveIterator(_Stream(file), no_record_parse=True):
                row = self._row(number + 1, record)
                number += 1
                if row:
                    yield row
        except (*DAMAGE, ArchiveLoadFailed) as error:
            yield damage(number + 1, "record", error)

    def _row(self, number: int, record: Any) -> Row | Fault | None:
        headers, kind = record.rec_headers, record.rec_type
        is_metadata = kind == "metadata" and "json" in (headers.get_header("Content-Type") or "")
        if not is_metadata and kind not in ("response", "conversion", "resource"):
            return None
        block = record.raw_stream.read(self.max_row_bytes + 1)
        url, head = headers.get_header("WARC-Target-URI") or "", block[:HEAD_BYTES]
        told = headers.get_header("Content-Length") or "0"
        if not told.strip().isdecimal():
            return Fault(number, f"its Content-Length is {told!r}, expected a number", head)
        length = int(told)
        if length > self.max_row_bytes:
            return Fault(number, f"{length} bytes are more than max_row_bytes = {self.max_row_bytes}", head)
        if len(block) < length:
            return Fault(number, f"the file is cut: {len(block)} of {length} bytes are there", head, "damaged")
        row: dict[str, str | None] = {"url": url, "date": headers.get_header("WARC-Date")}
        if is_metadata:
            return _metadata_row(number, row, block)
        if kind != "response":
            kind = headers.get_header("Content-Type") or ("text/plain" if kind == "conversion" else "")
            return self._made(number, row, block, kind)
        try:
            status, kind, content = _answer(record, block, self.max_row_bytes)
        except Exception as error:  # warcio's readers raise what the bytes make them.
            return Fault(number, f"the answer cannot be read: {error}", head)
        if status != "200":
            return Fault(number, f"the server answered {status}", head, "http-status")
        return self._made(number, row, content, kind)

    def _made(self, number: int, row: dict[str, str | None], content: bytes, kind: str) -> Row | Fault:
        made = page_row(content, kind, extract=self.extract)
        if isinstance(made, NoPage):
            return Fault(number, f"{row['url']}: {made.detail}", content[:HEAD_BYTES], made.reason)
        return number, row | made, content


def _answer(record: Any, block: bytes, limit: int) -> tuple[str, str, bytes]:
    """Return (status, content type, body) of an HTTP answer; the body is decoded, and no longer than the limit."""
    from warcio.statusandheaders import StatusAndHeadersParser

    record.raw_stream = BytesIO(block)
    record.http_headers = StatusAndHeadersParser(["HTTP/"]).parse(record.raw_stream)
    content = record.content_stream().read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it holds more than max_row_bytes = {limit}")
    status = record.http_headers.statusline.split()[1]  # After the version of HTTP.
    return status, record.http_headers.get_header("Content-Type") or "", content


def _metadata_row(number: int, row: dict[str, str | None], content: bytes) -> Row | Fault:
    try:
        text = content.decode()
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return Fault(number, f"the metadata is no JSON: {error}", content[:HEAD_BYTES])
    return number, row | {"content_type": "application/json", "metadata": text}, content


class _Stream:
    """A file's bytes for a reader that asks for more than a damaged file has: what is sound comes first."""

    def __init__(self, file: Path) -> None:
        self._blocks, self._rest = raw_blocks(file), b""

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            try:
                self._rest = next(self._blocks, b"")
            except EOFError as error:  # It would be taken for the archive's end.
                raise OSError(str(error)) from None
        taken, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return taken
