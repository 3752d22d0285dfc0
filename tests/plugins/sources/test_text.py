"""Lines of plain text become rows."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlm
from mlm_plugins.sources.text import Text

PROBLEM = mlm.Problem(name="t", task="completion", purpose="p")


def read(path: Path) -> mlm.Dataset:
    context = mlm.Context(
        folder=path.parent / "out", work=path.parent / "work", project=path.parent, problem=PROBLEM, step="poems"
    )
    return Text(path=path).mlm_read(context=context)


def test_each_line_that_is_not_blank_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_bytes("one\r\n\n  two\u2028still two\nöne\none".encode())

    rows = list(read(path).rows())

    assert [row["text"] for row in rows] == ["one", "  two\u2028still two", "öne", "one"]
    assert [row["source"] for row in rows] == [f"poems.txt:{line}" for line in (1, 3, 4, 5)]
    assert rows[3]["row_id"] == f"{rows[0]['row_id']}:2"


def test_a_byte_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_bytes(b"one\nt\xe4o\n")

    with pytest.raises(mlm.DataError, match=r"poems.txt, line 2: byte 2 is not UTF-8"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(mlm.ProjectError, match=r"poems\.txt"):
        read(tmp_path / "poems.txt")
