"""A list of URLs, fetched."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from attrs import define, field
from attrs.validators import ge, gt, min_len

import mlm
from mlm_plugins.sources.fetching import Fetcher, Pace, Refused
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.lines import Fault, read_lines
from mlm_plugins.sources.pages import COLUMNS, NoPage, page_row, table_of
from mlm_plugins.sources.reading import Files, sized

Row = tuple[int, dict[str, str | None], bytes]
_LINE_BYTES = 1 << 16


@define(kw_only=True)
class Urls(Files):
    """Fetches the pages that a text file lists, one URL a line, and reads their main text.

    robots.txt is obeyed, and hosts are asked one request at a time with a pause between. Only http and https are
    fetched, and only from public addresses. A URL that brings no page is set aside with its reason. What was fetched
    is remembered until the step is done: an interrupted run asks for no page twice.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".urls")

    contact: str = mlm.setting(validator=min_len(3), help="your web page or e-mail, told to every server")
    pause_seconds: float = mlm.setting(
        1.0, validator=ge(0), unit="seconds", help="pause between two requests to a host"
    )
    timeout_seconds: float = mlm.setting(30.0, validator=gt(0), unit="seconds", help="how long a page may take")
    max_bytes: int = mlm.setting(10 << 20, validator=ge(1), unit="bytes", help="a larger page is not fetched")
    allow_private: bool = mlm.setting(False, help="fetch from addresses of the own network too")
    extract: bool = mlm.setting(True, help="write a page's main text; otherwise the page itself, as `html`")

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        ids, names = RowIds(), COLUMNS if self.extract else (*COLUMNS, "html")
        agent = f"mlm/{version('mlm')} (+{self.contact})"
        pace = Pace(self.pause_seconds)
        with (
            Fetcher(agent, pace, self.timeout_seconds, self.max_bytes, self.allow_private) as fetcher,
            _Memory(context.work / "pages.jsonl") as memory,
            context.writer() as writer,
        ):
            for name, file in self.files(context):
                for chunk in sized(self._rows(file, fetcher, memory)):
                    removed = self.removals(name, file, chunk.faults, ids)
                    writer.write(mlm.Batch(table_of(chunk, names, name, ids), removed))
        return writer.dataset

    def _rows(self, file: Path, fetcher: Fetcher, memory: _Memory) -> Iterator[Row | Fault]:
        for part in read_lines(file, "utf-8", _LINE_BYTES):
            yield from part.faults
            for number, line in enumerate(part.lines, start=part.first):
                url = line.decode("utf-8", "replace").strip()
                if not url or url.startswith("#"):
                    continue
                known = memory.get(url)
                if known is None:
                    known = memory.put(url, _outcome(url, fetcher))
                yield self._row(number, url, known)

    def _row(self, number: int, url: str, known: dict[str, Any]) -> Row | Fault:
        if "reason" in known:
            return Fault(number, known["detail"], url.encode(), known["reason"])
        content = base64.b85decode(known["content"])
        if known["status"] != 200:
            return Fault(number, f"the server answered {known['status']}", url.encode(), "http-status")
        made = page_row(content, known["content_type"], extract=self.extract)
        if isinstance(made, NoPage):
            return Fault(number, made.detail, url.encode(), made.reason)
        return number, {"url": known["url"], **made}, content


def _outcome(url: str, fetcher: Fetcher) -> dict[str, Any]:
    try:
        found = fetcher.fetch(url)
    except Refused as refused:
        return {"reason": refused.reason, "detail": refused.detail}
    content = base64.b85encode(found.content).decode()
    return {"url": found.url, "status": found.status, "content_type": found.content_type, "content": content}


def _may_change(outcome: dict[str, Any]) -> bool:
    status = outcome.get("status", 0)
    return outcome.get("reason") == "unreachable" or status == 429 or status >= 500


@define
class _Memory:
    """What each URL brought, in a file that outlives an interruption; only places in it are held in memory.

    What another try may bring, where a server could not be reached or was busy, is asked for again after it.
    """

    path: Path
    _places: dict[str, int] = field(factory=dict)
    _file: Any = None

    def __enter__(self) -> _Memory:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        self._file.seek(0)
        place = 0
        for line in self._file:
            if not line.endswith(b"\n"):  # Its writer was interrupted.
                break
            outcome = json.loads(line)
            if not _may_change(outcome):
                self._places[outcome["asked"]] = place
            place += len(line)
        self._file.truncate(place)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._file.close()

    def get(self, url: str) -> dict[str, Any] | None:
        """Return what a URL brought; None where it was not asked for."""
        if url not in self._places:
            return None
        self._file.seek(self._places[url])
        return dict(json.loads(self._file.readline()))

    def put(self, url: str, outcome: dict[str, Any]) -> dict[str, Any]:
        """Remember what a URL brought."""
        self._places[url] = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps({"asked": url, **outcome}).encode() + b"\n")
        self._file.flush()
        return outcome
