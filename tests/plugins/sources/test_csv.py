"""Tables of text become rows; what RFC 4180 does not allow is named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.sources.csv_files import Csv

Read = Callable[..., mlm.Dataset]


def test_cells_are_text_as_they_stand(read_with: Read) -> None:
    data = read_with(Csv, {"a.csv": b'id,text\r\n007,"one, ""two""\r\nand three"\r\n8,\r\n'})

    assert [(row["id"], row["text"], row["source"]) for row in data.rows()] == [
        ("007", 'one, "two"\r\nand three', "a.csv:2"),
        ("8", "", "a.csv:4"),
    ]


def test_a_declared_type_is_read_and_a_cell_that_has_another_is_set_aside(read_with: Read) -> None:
    content = b"n,x,ok\n1,0.5,true\nmany,1,false\n,,\n3,2,maybe\n"

    data = read_with(
        Csv, {"a.csv": content}, columns={"n": "integer", "x": "number", "ok": "boolean"}, on_error="set-aside"
    )

    assert [(row["n"], row["x"], row["ok"]) for row in data.rows()] == [(1, 0.5, True), (None, None, None)]
    assert {row["source"]: row["detail"] for row in data.removed()} == {
        "a.csv:3": "n is of type string, expected integer",
        "a.csv:5": "ok is of type string, expected boolean",
    }


def test_reading_goes_on_after_a_quotation_mark_that_never_ends(read_with: Read) -> None:
    data = read_with(Csv, {"a.csv": b'id,text\n1,"a\n2,b\n3,"c"\n4,d\n'}, on_error="set-aside")

    assert [row["id"] for row in data.rows()] == ["2", "3", "4"]
    assert [(row["source"], row["reason"]) for row in data.removed()] == [("a.csv:2", "malformed")]


def test_tabs_separate_in_tsv_and_a_file_without_a_header_is_given_one(read_with: Read) -> None:
    data = read_with(Csv, {"a.tsv": b"1\tx, y\n2\tz\n"}, header=["id", "text"])

    assert [(row["id"], row["text"]) for row in data.rows()] == [("1", "x, y"), ("2", "z")]


def test_a_column_without_a_name_is_named_by_its_place(read_with: Read) -> None:
    """As pandas writes its index."""
    data = read_with(Csv, {"a.csv": b",text\n0,x\n1,y\n"})

    assert [(row["column_1"], row["text"]) for row in data.rows()] == [("0", "x"), ("1", "y")]


cells = st.text(st.characters(blacklist_categories=("Cs",)), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(cells, cells), max_size=6))
def test_what_the_csv_module_writes_is_read_back(read_with: Read, rows: list[tuple[str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])

    data = read_with(Csv, {"a.csv": written.getvalue().encode()})

    assert [(row["a"], row["b"]) for row in data.rows()] == rows


@pytest.mark.parametrize("header", ["a,a\n1,2\n", '"a\n1,2\n'])
def test_a_header_that_cannot_be_read_loses_no_row_silently(read_with: Read, header: str) -> None:
    data = read_with(Csv, {"a.csv": header.encode()}, on_error="set-aside")

    assert data.num_rows == 0
    assert next(data.removed())["source"] == "a.csv:1"
