"""Malformed files of every kind: read, or named with file and position, and nothing is lost silently."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from attrs import field, frozen

import mlm
from mlm_plugins.sources.csv_files import Csv
from mlm_plugins.sources.jsonl import Jsonl
from mlm_plugins.sources.markdown import Markdown
from mlm_plugins.sources.parquet import Parquet
from mlm_plugins.sources.text import Text

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")
GOOD = [{"text": f"row {n}"} for n in range(3)]
SOURCES = {
    ".jsonl": Jsonl,
    ".json": Jsonl,
    ".csv": Csv,
    ".tsv": Csv,
    ".parquet": Parquet,
    ".txt": Text,
    ".md": Markdown,
}


@frozen
class Kind:
    """A kind of malformed input, and what is to come of it."""

    name: str
    file: str
    content: bytes | Callable[[Path], None]
    rows: int
    """How many rows are read where the rest is set aside; -1 where that depends on how a library reads ahead."""
    removed: Mapping[int, str] = field(factory=dict)
    """What is set aside: part of the detail, by the number of the line or row; -1 where it is not known."""
    settings: Mapping[str, Any] = field(factory=dict)


def lines(*rows: Any) -> bytes:
    return b"".join(row + b"\n" if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)


def between(line: bytes) -> bytes:
    """Put a line between good ones, as the second."""
    return lines(GOOD[0], line, *GOOD[1:])


def zstd(content: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    return bytes(out.getvalue().to_pybytes())


def parquet(rows: int = 3) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"text": [f"row {n}" for n in range(rows)]}), out)
    return out.getvalue()


def broken_pages() -> bytes:
    content = bytearray(parquet(3000))
    content[40:400] = b"\xff" * 360
    return bytes(content)


def link(path: Path, to: str) -> None:
    path.symlink_to(to)


def folder_with(path: Path, **files: bytes) -> None:
    path.mkdir()
    for name, content in files.items():
        (path / name.replace("_", ".")).write_bytes(content)


def locked(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is hidden from root")
    path.write_bytes(GZ)
    path.chmod(0)


def looped(path: Path) -> None:
    folder_with(path, a_jsonl=lines(*GOOD))
    (path / "again").symlink_to(path, target_is_directory=True)


GZ, MANY = gzip.compress(lines(*GOOD)), lines(*({"text": f"{n:064}"} for n in range(20_000)))
DEEP = 10_000
SHORT = {"max_row_bytes": 1000}

KINDS = [
    # JSON lines
    Kind("cut object", "a.jsonl", between(b'{"text": "a"'), 3, {2: "Expecting ',' delimiter"}),
    Kind("no JSON at all", "a.jsonl", between(b"text"), 3, {2: "Expecting value"}),
    Kind("single quotes", "a.jsonl", between(b"{'text': 'a'}"), 3, {2: "property name enclosed in double quotes"}),
    Kind("trailing comma", "a.jsonl", between(b'{"text": "a",}'), 3, {2: "double quotes"}),
    Kind("two objects in a line", "a.jsonl", between(b'{"text": "a"}{"text": "b"}'), 3, {2: "Extra data"}),
    Kind("comment", "a.jsonl", between(b"// a comment"), 3, {2: "Expecting value"}),
    Kind("NUL bytes between", "a.jsonl", between(b"\0\0\0\0"), 3, {2: "Expecting value"}),
    Kind("NUL byte in a string", "a.jsonl", between(b'{"text": "a\0b"}'), 3, {2: "Invalid control character"}),
    Kind("escaped NUL", "a.jsonl", between(b'{"text": "a\\u0000b"}'), 4),
    Kind("raw tab in a string", "a.jsonl", between(b'{"text": "a\tb"}'), 3, {2: "Invalid control character"}),
    Kind("lone high surrogate", "a.jsonl", between(b'{"text": "\\ud800"}'), 3, {2: "cannot"}),
    Kind("lone low surrogate", "a.jsonl", between(b'{"text": "\\udc00x"}'), 3, {2: "cannot"}),
    Kind("surrogate in a key", "a.jsonl", between(b'{"\\ud800": "a"}'), 3, {2: "surrogate"}),
    Kind("surrogate in UTF-8", "a.jsonl", between(b'{"text": "\xed\xa0\x80"}'), 3, {2: "is not UTF-8"}),
    Kind("latin-1", "a.jsonl", between('{"text": "é"}'.encode("latin-1")), 3, {2: "byte 11 is not UTF-8"}),
    Kind("overlong UTF-8", "a.jsonl", between(b'{"text": "\xc0\xaf"}'), 3, {2: "is not UTF-8"}),
    Kind("cut character", "a.jsonl", between('{"text": "é'.encode()[:-1]), 3, {2: "is not UTF-8"}),
    Kind(
        "latin-1 that is named",
        "a.jsonl",
        between('{"text": "é"}'.encode("latin-1")),
        4,
        settings={"encoding": "latin-1"},
    ),
    Kind("UTF-16 with a mark", "a.jsonl", lines(*GOOD).decode().encode("utf-16"), 3),
    Kind(
        "UTF-16 big-endian with a mark", "a.jsonl", codecs.BOM_UTF16_BE + lines(*GOOD).decode().encode("utf-16-be"), 3
    ),
    Kind("UTF-16 without a mark", "a.jsonl", lines(*GOOD).decode().encode("utf-16-le"), 0, {1: "looks like UTF-16"}),
    Kind(
        "UTF-16 that is named",
        "a.jsonl",
        lines(*GOOD).decode().encode("utf-16-be"),
        3,
        settings={"encoding": "utf-16-be"},
    ),
    Kind("UTF-16 of odd length", "a.jsonl", lines(*GOOD).decode().encode("utf-16")[:-1], 2, {3: "truncated data"}),
    Kind("UTF-32 with a mark", "a.jsonl", lines(*GOOD).decode().encode("utf-32"), 3),
    Kind("UTF-8 with a mark", "a.jsonl", codecs.BOM_UTF8 + lines(*GOOD), 3),
    Kind("mark in the middle", "a.jsonl", between(codecs.BOM_UTF8 + b'{"text": "a"}'), 3, {2: "Expecting value"}),
    Kind(
        "100 MB line",
        "a.jsonl",
        between(b'{"text": "' + b"x" * 100_000_000 + b'"}'),
        3,
        {2: "100000012 bytes are more"},
    ),
    Kind("100 MB of blanks", "a.jsonl", between(b" " * 100_000_000), 3, {2: "bytes are more than max_row_bytes"}),
    Kind("arrays 10,000 deep", "a.jsonl", between(b"[" * DEEP + b"]" * DEEP), 3, {2: "nested deeper than 100"}),
    Kind(
        "objects 10,000 deep",
        "a.jsonl",
        between(b'{"a":' * DEEP + b"1" + b"}" * DEEP),
        3,
        {2: "nested deeper than 100"},
    ),
    Kind(
        "500 deep", "a.jsonl", between(b'{"text":' + b"[" * 500 + b"]" * 500 + b"}"), 3, {2: "nested deeper than 100"}
    ),
    Kind("key twice", "a.jsonl", between(b'{"text": "a", "text": "b"}'), 3, {2: "'text' comes twice"}),
    Kind("key twice within", "a.jsonl", between(b'{"m": {"k": 1, "k": 2}}'), 3, {2: "'k' comes twice"}),
    Kind(
        "key twice, once escaped", "a.jsonl", between(b'{"text": "a", "\\u0074ext": "b"}'), 3, {2: "'text' comes twice"}
    ),
    Kind("empty key", "a.jsonl", between(b'{"": "a"}'), 4),
    Kind("NaN", "a.jsonl", between(b'{"n": NaN}'), 3, {2: "NaN is not JSON"}),
    Kind("Infinity", "a.jsonl", between(b'{"n": -Infinity}'), 3, {2: "-Infinity is not JSON"}),
    Kind("number beyond a double", "a.jsonl", between(b'{"n": 1e999}'), 3, {2: "beyond what a double holds"}),
    Kind("huge integer", "a.jsonl", lines({"n": 1}, {"n": 1 << 100}, {"n": 2}), 2, {2: "cannot"}),
    Kind("integer of 5,000 digits", "a.jsonl", between(b'{"n": ' + b"9" * 5000 + b"}"), 3, {2: "digits"}),
    Kind(
        "value of another type",
        "a.jsonl",
        between(b'{"text": 7}'),
        3,
        {2: "of type integer, expected string"},
    ),
    Kind("line that is no object", "a.jsonl", between(b"[1, 2]"), 3, {2: "expected an object"}),
    Kind(
        "split that leads out",
        "a.jsonl",
        lines({"text": "a", "split": "../x"}, {"text": "b"}),
        1,
        {1: "no plain name"},
    ),
    Kind("mlm's own keys", "a.jsonl", lines({"text": "a", "row_id": "7", "source": "web"}), 1),
    Kind("blank lines", "a.jsonl", between(b"  \n\n\t"), 3),
    Kind("no last newline", "a.jsonl", lines(*GOOD)[:-1], 3),
    Kind("CRLF, CR and LF", "a.jsonl", b'{"text": "a"}\r\n{"text": "b"}\r{"text": "c"}\n\r{"text": "d"}', 4),
    Kind("empty file", "a.jsonl", b"", 0),
    Kind("nothing but a mark", "a.jsonl", codecs.BOM_UTF8, 0),
    Kind("nothing but newlines", "a.jsonl", b"\n\r\n\r", 0),
    # JSON documents
    Kind("array that is cut", "a.json", json.dumps(GOOD).encode()[:-1], 3, {3: "expected"}),
    Kind("array cut within an item", "a.json", json.dumps(GOOD).encode()[:-5], 2, {3: "Unterminated string"}),
    Kind("array without a comma", "a.json", b'[{"text": "a"} {"text": "b"}]', 1, {1: "expected ','"}),
    Kind("more after the array", "a.json", json.dumps(GOOD).encode() + b" x", 3, {3: "more after the array's end"}),
    Kind("bad item", "a.json", b'[{"text": "a"}, {"text": NaN}, {"text": "c"}]', 1, {2: "NaN is not JSON"}),
    Kind("lines named as a document", "a.json", lines(*GOOD), 3),
    Kind(
        "item that is too long",
        "a.json",
        json.dumps([{"text": "x" * 5000}]).encode(),
        0,
        {1: "max_row_bytes"},
        settings=SHORT,
    ),
    Kind("empty document", "a.json", b"", 0),
    # Compression
    Kind("gzip that is cut", "a.jsonl.gz", gzip.compress(MANY)[:-30_000], -1, {-1: "end-of-stream marker"}),
    Kind("gzip with a wrong checksum", "a.jsonl.gz", GZ[:-8] + bytes(8), 0, {1: "CRC check failed"}),
    Kind("gzip with a wrong checksum after good members", "a.jsonl.gz", GZ * 3 + GZ[:-8] + bytes(8), 9, {10: "CRC"}),
    Kind("gzip with a flipped byte", "a.jsonl.gz", GZ[:14] + b"\xff\xff" + GZ[16:], 0, {1: "cannot be read"}),
    Kind("gzip with more after it", "a.jsonl.gz", GZ + b"garbage", 3, {4: "Not a gzipped file"}),
    Kind("gzip in members", "a.jsonl.gz", GZ + GZ, 6),
    Kind("gzip by another name", "a.jsonl", GZ, 3),
    Kind("plain text named .gz", "a.jsonl.gz", lines(*GOOD), 3),
    Kind("nothing in .gz", "a.jsonl.gz", b"", 0),
    Kind("bzip2 that is cut", "a.jsonl.bz2", bz2.compress(MANY)[:-500], -1, {-1: "end-of-stream marker"}),
    Kind("xz that is cut", "a.jsonl.xz", lzma.compress(MANY)[:-200], -1, {-1: "end-of-stream marker"}),
    Kind(
        "xz with a flipped byte",
        "a.jsonl.xz",
        lzma.compress(MANY)[:60] + bytes(8) + lzma.compress(MANY)[68:],
        0,
        {1: "cannot be read"},
    ),
    Kind("Zstandard that is cut", "a.jsonl.zst", zstd(MANY)[:-20], -1, {-1: "Truncated compressed stream"}),
    Kind("Zstandard with more after it", "a.jsonl.zst", zstd(lines(*GOOD)) + b"garbage", -1, {-1: "ZSTD"}),
    Kind("Zstandard in frames", "a.jsonl.zst", zstd(lines(*GOOD)) * 2, 6),
    # Tables
    Kind("row with too few cells", "a.csv", b"a,b\n1,2\n3\n4,5\n", 2, {3: "1 cells, expected 2"}),
    Kind("row with too many cells", "a.csv", b"a,b\n1,2\n3,4,5\n", 1, {3: "3 cells, expected 2"}),
    Kind("quotation mark that never ends", "a.csv", b'a,b\n1,"2\n3,4\n5,6\n', 2, {2: "unexpected end of data"}),
    Kind("quotation mark within a cell", "a.csv", b'a,b\n1,"2"x\n3,4\n', 1, {2: "expected after"}),
    Kind(
        "quoted cell that is too long",
        "a.csv",
        b'a,b\n1,"' + b"x\n" * 3000 + b"3,4\n",
        -1,
        {2: "never ends"},
        settings=SHORT,
    ),
    Kind("NUL byte in a cell", "a.csv", b"a,b\n1,2\x003\n", 1),
    Kind("latin-1 in a cell", "a.csv", "a,b\n1,é\n2,x\n".encode("latin-1"), 1, {2: "is not UTF-8"}),
    Kind("UTF-16 table with a mark", "a.csv", "a,b\r\n1,é\r\n".encode("utf-16"), 1),
    Kind("column named twice", "a.csv", b"a,a\n1,2\n", 0, {1: "names 'a' twice"}),
    Kind("header alone", "a.csv", b"a,b\n", 0),
    Kind("carriage returns alone", "a.csv", b"a,b\r1,2\r3,4\r", 2),
    Kind("empty table", "a.csv", b"", 0),
    Kind(
        "cell of another type",
        "a.csv",
        b"n\n1\nx\n",
        1,
        {3: "expected integer"},
        settings={"columns": {"n": "integer"}},
    ),
    # Parquet
    Kind("Parquet that is cut", "a.parquet", parquet()[:-20], 0, {1: "cannot be read"}),
    Kind("Parquet without its magic", "a.parquet", b"XXXX" + parquet()[4:-4] + b"XXXX", 0, {1: "magic bytes"}),
    Kind("JSON named .parquet", "a.parquet", lines(*GOOD), 0, {1: "cannot be read"}),
    Kind("nothing in .parquet", "a.parquet", b"", 0, {1: "cannot be read"}),
    Kind("Parquet with broken pages", "a.parquet", broken_pages(), 0, {1: "cannot be read"}),
    # Text
    Kind("text in latin-1", "a.txt", "one\ntéo\nthree\n".encode("latin-1"), 2, {2: "byte 2 is not UTF-8"}),
    Kind("text with a long line", "a.txt", b"one\n" + b"x" * 3000 + b"\nthree\n", 2, {2: "3000 bytes"}, settings=SHORT),
    Kind("text with every end of line", "a.txt", b"one\r\ntwo\rthree\n", 3),
    Kind("Markdown with an open fence", "a.md", b"# a\n```\n# b\n", 1),
    # Places
    Kind("file that nobody may read", "a.jsonl", locked, 0, {1: "Permission denied"}),
    Kind("link to itself", "a.jsonl", partial(link, to="a.jsonl"), 0, {1: "symbolic links"}),
    Kind("link to nothing", "a.jsonl", partial(link, to="gone.jsonl"), 0, {1: "No such file"}),
    Kind("folder with a link to itself", "rows", looped, 3),
    Kind("folder with another kind of file", "rows", partial(folder_with, a_jsonl=lines(*GOOD), b_txt=b"no row"), 3),
    Kind(
        "folder with a bad file",
        "rows",
        partial(folder_with, a_jsonl=lines(*GOOD), b_jsonl_gz=GZ[:20]),
        -1,
        {-1: "end-of-stream"},
    ),
]


def read(kind: Kind, folder: Path, on_error: str) -> mlm.Dataset:
    path = folder / "in" / kind.file
    path.parent.mkdir()
    if callable(kind.content):
        kind.content(path)
    else:
        path.write_bytes(kind.content)
    bare = kind.file.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz").removesuffix(".zst")
    source = SOURCES.get(Path(bare).suffix, Jsonl)
    context = mlm.Context(folder=folder / "out", work=folder / "work", project=folder, problem=PROBLEM, step="step")
    return source(path=path, on_error=on_error, **kind.settings).mlm_read(context=context)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".txt"])
@pytest.mark.parametrize(("name", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_no_row_is_made_up_from_a_damaged_archive(
    name: str, compress: Callable[[bytes], bytes], suffix: str, tmp_path: Path
) -> None:
    texts = [" ".join(f"{number * step % 977}" for step in range(1, 12)) for number in range(500)]
    content = {
        ".csv": "\n".join(["text", *texts]),
        ".json": json.dumps([{"text": text} for text in texts]),
        ".jsonl": lines(*({"text": text} for text in texts)).decode(),
        ".txt": "\n".join(texts),
    }[suffix]
    packed, told = compress(content.encode()), set[str]()
    for number, place in enumerate(range(40, len(packed) - 20, len(packed) // 12)):
        damaged = bytearray(packed)
        damaged[place] ^= 4
        folder = tmp_path / str(number)
        folder.mkdir()
        kind = Kind("flipped bit", f"a{suffix}.{name}", bytes(damaged), 0)

        data = read(kind, folder, "set-aside")

        assert {row["text"] for row in data.rows()} <= {*texts}
        (removed,) = data.removed()
        told.add(removed["detail"].rpartition(";")[2])
        assert removed["reason"] == "damaged"
    assert told == {" nothing in the damaged part of an archive can be trusted"}


def test_there_are_at_least_fifty_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 50


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_cannot_be_read_is_set_aside_under_its_file_and_position(kind: Kind, tmp_path: Path) -> None:
    data = read(kind, tmp_path, "set-aside")

    removed = list(data.removed())
    details = {int(row["source"].rpartition(":")[2]): row["detail"] for row in removed}
    assert all(row["reason"] in ("malformed", "damaged", "schema") and row["row_id"] for row in removed)
    assert all(row["source"].rpartition(":")[0] for row in removed)
    if kind.rows >= 0:
        assert data.num_rows == kind.rows
        assert details.keys() == kind.removed.keys()
    assert len(removed) == len(kind.removed) or kind.rows < 0
    for number, told in kind.removed.items():
        assert told in (details.get(number) or " ".join(details.values()))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.removed], ids=lambda kind: kind.name)
def test_the_run_stops_there_unless_told_otherwise(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(mlm.DataError) as error:
        read(kind, tmp_path, "stop")

    message = str(error.value)
    number = next(iter(kind.removed))
    assert Path(kind.file).name.partition(".")[0] in message
    assert "\n" not in message
    assert number < 0 or f" {number}: " in message


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.removed], ids=lambda kind: kind.name)
def test_what_can_be_read_needs_no_leave(kind: Kind, tmp_path: Path) -> None:
    data = read(kind, tmp_path, "stop")

    assert (data.num_rows, len(list(data.removed()))) == (kind.rows, 0)
