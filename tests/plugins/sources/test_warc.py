"""Web archives become rows of text; what is no page is set aside with its reason."""

from __future__ import annotations

import gzip
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

import mlm
from mlm_plugins.sources.warc import Warc

Read = Callable[..., mlm.Dataset]
PARAGRAPH = "The ferry to the island leaves at nine in the morning, and comes back when the lamps are lit. " * 4
PAGE = (
    "<html><head><title>The ferry</title></head>"
    f"<body><nav>Home</nav><article><p>{PARAGRAPH}</p></article></body></html>"
)


def archive(*records: tuple[str, str, bytes]) -> bytes:
    """Write (type, URL, block) as records by ISO 28500, each compressed by itself."""
    return b"".join(gzip.compress(record(*one)) for one in records)


def record(kind: str, url: str, block: bytes, length: str = "", end: str = "\r\n") -> bytes:
    head = {
        "WARC-Type": kind, "WARC-Record-ID": "<urn:uuid:0>", "WARC-Target-URI": url,
        "WARC-Date": "2026-01-01T00:00:00Z", "Content-Length": length or str(len(block)),
    }  # fmt: skip
    lines = ["WARC/1.0", *(f"{name}: {value}" for name, value in head.items() if value), "", ""]
    return end.join(lines).encode() + block + 2 * end.encode()


def page(
    url: str = "https://ferry.example/",
    body: bytes = PAGE.encode(),
    kind: str = "text/html; charset=utf-8",
    status: str = "200 OK",
    more: str = "",
) -> tuple[str, str, bytes]:
    return "response", url, f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}\r\n".encode() + body


def test_a_page_becomes_its_main_text(read_with: Read) -> None:
    data = read_with(Warc, {"a.warc.gz": archive(("warcinfo", "", b""), page())})

    (row,) = data.rows()
    assert (row["url"], row["title"], row["content_type"]) == ("https://ferry.example/", "The ferry", "text/html")
    assert row["text"] == PARAGRAPH.strip()
    assert row["source"] == "a.warc.gz:2"


def test_a_page_is_kept_as_it_is_where_nothing_is_extracted(read_with: Read) -> None:
    (row,) = read_with(Warc, {"a.warc.gz": archive(page())}, extract=False).rows()

    assert (row["html"], row["text"]) == (PAGE, None)


def test_the_charset_of_the_answer_is_heeded(read_with: Read) -> None:
    body = PAGE.replace("ferry", "fähre").encode("latin-1")

    (row,) = read_with(Warc, {"a.warc.gz": archive(page(body=body, kind="text/html; charset=latin-1"))}).rows()

    assert row["title"] == "The fähre"


def test_a_compressed_answer_is_decoded(read_with: Read) -> None:
    body = gzip.compress(PAGE.encode())

    (row,) = read_with(Warc, {"a.warc.gz": archive(page(body=body, more="Content-Encoding: gzip\r\n"))}).rows()

    assert row["title"] == "The ferry"


def test_an_answer_that_grows_beyond_the_longest_row_is_set_aside(read_with: Read) -> None:
    bomb = page(body=gzip.compress(bytes(10_000_000)), more="Content-Encoding: gzip\r\n")

    data = read_with(Warc, {"a.warc.gz": archive(bomb, page())}, max_row_bytes=100_000, on_error="set-aside")

    assert data.num_rows == 1
    assert [row["detail"] for row in data.removed()] == [
        "the answer cannot be read: it holds more than max_row_bytes = 100000"
    ]


def test_what_is_no_page_is_set_aside_with_its_reason(read_with: Read) -> None:
    records = [
        page(),
        page("https://gone.example/", status="404 Not Found"),
        page("https://cat.example/", b"\x89PNG", "image/png"),
        page("https://void.example/", b"<html><body></body></html>"),
    ]

    data = read_with(Warc, {"a.warc.gz": archive(*records)})

    assert data.num_rows == 1
    assert [(row["source"], row["reason"]) for row in data.removed()] == [
        ("a.warc.gz:2", "http-status"), ("a.warc.gz:3", "not-html"), ("a.warc.gz:4", "no-text"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "rows", "told"),
    [
        (archive(page(), page())[:-200], 1, "Compressed file ended"),
        (gzip.decompress(archive(page()))[:-300], 0, "the file is cut"),
        (archive(page()) + b"garbage", 1, "Not a gzipped file"),
        (b"no archive\n" * 9, 0, "no WARC record begins here"),
        (b"", 0, ""),
    ],
)
def test_a_damaged_archive_is_read_up_to_the_damage(read_with: Read, content: bytes, rows: int, told: str) -> None:
    data = read_with(Warc, {"a.warc.gz": content}, on_error="set-aside")

    assert data.num_rows == rows
    assert told in "".join(row["detail"] for row in data.removed())
    if told:
        with pytest.raises(mlm.DataError, match=r"a\.warc\.gz, record \d+: "):
            read_with(Warc, {"a.warc.gz": content})


SIZE = len(page()[2])


@pytest.mark.parametrize("settings", [{}, {"max_row_bytes": SIZE}])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize(
    ("told", "why"),
    [
        (str(SIZE + 50), "but the next record begins before"),
        (str(SIZE + 10**6), "but the next record begins before"),
        (str(SIZE - 100), "but no record ends there"),
        ("0", "but no record ends there"),
        ("-5", "expected a number of bytes"),
        ("many", "expected a number of bytes"),
        ("", "expected a number of bytes"),
        ("9" * 30, "expected a number of bytes"),
    ],
)
def test_a_record_of_a_false_length_is_set_aside_and_the_others_are_read(
    read_with: Read, told: str, why: str, compressed: bool, settings: dict[str, int]
) -> None:
    false = record(*page("https://b.example/")).replace(
        f"Content-Length: {SIZE}".encode(), f"Content-Length: {told}".encode()
    )
    parts = [
        record(*page()),
        false,
        record("request", "https://c.example/", b"GET /"),
        record(*page("https://c.example/")),
    ]
    content = b"".join(gzip.compress(part) if compressed else part for part in parts)

    data = read_with(Warc, {"a.warc.gz": content}, on_error="set-aside", **settings)

    assert [row["source"] for row in data.rows()] == ["a.warc.gz:1", "a.warc.gz:4"]
    assert [row["text"] for row in data.rows()] == [PARAGRAPH.strip()] * 2
    (gone,) = data.removed()
    assert (gone["source"], gone["reason"]) == ("a.warc.gz:2", "malformed")
    assert (told in gone["detail"], gone["detail"].endswith(why)) == (True, True)
    with pytest.raises(mlm.DataError, match=r"a\.warc\.gz, record 2: its Content-Length is "):
        read_with(Warc, {"a.warc.gz": content})


def test_a_page_that_quotes_an_archive_is_one_record(read_with: Read) -> None:
    quoted = PAGE.replace("lamps are lit", "\r\n\r\nWARC/1.0\r\nContent-Length: 5\r\n\r\nlamps are lit", 1).encode()

    data = read_with(Warc, {"a.warc.gz": archive(page(body=quoted), page())}, on_error="set-aside")

    assert (data.num_rows, list(data.removed())) == (2, [])


def test_a_long_page_that_quotes_an_archive_is_one_record(read_with: Read) -> None:
    quoted = b"x" * 5000 + record("conversion", "https://quoted.example/", b"text") + b"x" * 500
    content = archive(page(body=quoted), page("https://b.example/"))

    data = read_with(Warc, {"a.warc.gz": content}, on_error="set-aside", max_row_bytes=1000)

    assert [row["url"] for row in data.rows()] == ["https://b.example/"]
    (gone,) = data.removed()
    assert gone["detail"].endswith("bytes are more than max_row_bytes = 1000")


@pytest.mark.parametrize("length", ["", "7", "60", "1000000"])
def test_an_archive_without_carriage_returns_is_read(read_with: Read, length: str) -> None:
    parts = [
        record("conversion", "", b"It leaves at nine.", end="\n"),
        record("conversion", "", b"Nobody knows when.", length, end="\n"),
        record("conversion", "", b"It leaves at ten.", end="\n"),
    ]

    data = read_with(Warc, {"a.wet": b"".join(parts)}, on_error="set-aside", max_row_bytes=100)

    assert [row["source"] for row in data.rows()] == ["a.wet:1", *(["a.wet:2"] * (not length)), "a.wet:3"]


def test_a_header_may_hold_what_elsewhere_ends_a_line(read_with: Read) -> None:
    url = "https://ferry.example/\u2028Content-Length: 3\x85Content-Type: image/png"

    (row,) = read_with(Warc, {"a.wet": record("conversion", url, b"It leaves at nine.")}).rows()

    assert (row["url"], row["text"]) == (url, "It leaves at nine.")


def test_false_lengths_cost_no_memory(read_with: Read) -> None:
    content = gzip.compress(record("response", "", bytes(40_000_000), "9" * 17) + record(*page()))
    tracemalloc.start()

    data = read_with(Warc, {"a.warc.gz": content}, on_error="set-aside", max_row_bytes=1_000_000)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (data.num_rows, len(list(data.removed()))) == (1, 1)
    assert peak < 10_000_000


def test_false_lengths_take_linear_time(read_with: Read) -> None:
    def seconds(count: int) -> float:
        false = record("request", "", bytes(2000), str(50_000_000))
        start = time.process_time()
        assert len(list(read_with(Warc, {"a.warc": false * count}, on_error="set-aside").removed())) == count
        return time.process_time() - start

    # Quadratic time would quadruple; the constant covers what is too short to measure.
    assert seconds(4000) < 3 * seconds(2000) + 0.2


def test_what_stands_between_two_records_is_named(read_with: Read) -> None:
    content = record(*page()) + b"what is this\r\n\r\n" + record(*page("https://b.example/"))

    data = read_with(Warc, {"a.warc": content}, on_error="set-aside")

    assert [row["source"] for row in data.rows()] == ["a.warc:1", "a.warc:3"]
    assert [row["detail"] for row in data.removed()] == ["no WARC record begins here"]


@pytest.mark.real
def test_common_crawl_s_archives_are_read(make_context: Callable[[str], mlm.Context]) -> None:
    root = os.environ.get("MLM_REAL_DATA")
    if not root:
        pytest.skip("MLM_REAL_DATA is not set")
    folder = Path(root) / "curation" / "warc"

    (warc,) = Warc(path=folder / "whirlwind.warc.gz").mlm_read(context=make_context("warc")).rows()
    (wet,) = Warc(path=folder / "whirlwind.warc.wet.gz").mlm_read(context=make_context("wet")).rows()
    (wat,) = Warc(path=folder / "whirlwind.warc.wat.gz").mlm_read(context=make_context("wat")).rows()

    assert {row["url"] for row in (warc, wet, wat)} == {"https://an.wikipedia.org/wiki/Escopete"}
    assert warc["title"] == "Escopete - Biquipedia, a enciclopedia libre"
    assert "Ir al contenido" in wet["text"]
    assert "Ir al contenido" not in warc["text"]
    assert "Escopete" in warc["text"]
    assert '"WARC-Target-URI"' in wat["metadata"]
