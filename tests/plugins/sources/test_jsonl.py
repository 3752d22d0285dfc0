"""JSON lines become rows with stable ids; what does not fit is set aside with its reason."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.sources import streams
from mlm_plugins.sources.jsonl import Jsonl

Read = Callable[..., mlm.Dataset]
PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")


def context(folder: Path) -> mlm.Context:
    return mlm.Context(folder=folder / "out", work=folder / "work", project=folder, problem=PROBLEM, step="facts")


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes or rows to a file and read it with the source."""
    count = iter(range(1000))

    def run(content: bytes | list[Any], name: str = "facts.jsonl", **values: Any) -> mlm.Dataset:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        raw = content if isinstance(content, bytes) else "".join(json.dumps(row) + "\n" for row in content).encode()
        (folder / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return Jsonl(path=folder / name, **values).mlm_read(context=context(folder))

    return run


def details(data: mlm.Dataset) -> dict[str, str]:
    """What was set aside, by its place in the file."""
    assert {row["reason"] for row in data.removed()} <= {"schema"}
    return {row["source"]: row["detail"] for row in data.removed()}


def test_rows_keep_their_order_their_line_and_their_values(read: Read) -> None:
    rows = [{"prompt": "a", "n": 1}, {"prompt": "b", "n": 2.5}, {"prompt": "c"}]

    data = read(rows)

    found = [{name: row[name] for name in ("prompt", "n", "source")} for row in data.rows()]
    assert found == [
        {"prompt": "a", "n": 1.0, "source": "facts.jsonl:1"},
        {"prompt": "b", "n": 2.5, "source": "facts.jsonl:2"},
        {"prompt": "c", "n": None, "source": "facts.jsonl:3"},
    ]


def test_an_inserted_row_leaves_the_other_ids_as_they_were(read: Read) -> None:
    rows = [{"text": text} for text in "abcb"]

    before = [row["row_id"] for row in read(rows).rows()]
    after = [row["row_id"] for row in read([{"text": "new"}, *rows]).rows()]

    assert after[1:] == before
    assert before[3] == f"{before[1]}:2"
    assert len(set(before)) == 4


def test_ids_do_not_depend_on_the_order_of_keys(read: Read) -> None:
    one = read(b'{"a": "x", "b": "y"}\n')
    other = read(b'{"b":"y","a":"x"}\n')

    assert [row["row_id"] for row in one.rows()] == [row["row_id"] for row in other.rows()]


def test_values_of_another_type_are_set_aside(read: Read) -> None:
    data = read(
        [{"text": "a"}, {"text": 17}, {"text": ["a"]}, {"text": {"a": "b"}}, {"text": None}, {"text": "b"}],
        on_error="set-aside",
    )

    assert [row["text"] for row in data.rows()] == ["a", None, "b"]
    assert details(data) == {
        "facts.jsonl:2": "text is of type integer, expected string",
        "facts.jsonl:3": "text is of type array, expected string",
        "facts.jsonl:4": "text is of type object, expected string",
    }


def test_a_value_of_another_type_stops_the_run_with_its_line(read: Read) -> None:
    told = (
        r"facts\.jsonl, line 2: text is of type array, expected string; on_error = \"set-aside\" goes on without such"
    )
    with pytest.raises(mlm.DataError, match=told):
        read([{"text": "a"}, {"text": ["a"]}, {"text": "b"}])


def test_a_declared_type_wins_over_the_majority(read: Read) -> None:
    data = read([{"n": "1"}, {"n": "2"}, {"n": 3}], columns={"n": "integer"}, on_error="set-aside")

    assert [row["n"] for row in data.rows()] == [3]


def test_a_line_that_is_no_object_is_set_aside(read: Read) -> None:
    data = read([{"text": "a"}, [1], "x", 3, None], on_error="set-aside")

    assert data.num_rows == 1
    assert details(data)["facts.jsonl:3"] == "the line holds string, expected an object whose keys are text"
    assert len(details(data)) == 4


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"text,label\na,b\n", "facts.jsonl", 'if the file holds CSV, `use = "csv"` reads it'),
        (b"text\na\n", "facts.csv.gz", 'if the file holds CSV, `use = "csv"` reads it'),
        (b"Fine weather, said the fox.\n", "facts.txt", 'if the file holds plain text, `use = "text"` reads it'),
        (b"PAR1\x15\x04\x15\n", "facts.jsonl", 'the file holds Parquet, not JSON lines: `use = "parquet"` reads it'),
        (b'[\n{"text": "a"}\n]\n', "facts.jsonl", "the line begins a JSON array.* where it is named .json"),
        (b'[{"text": "a"}, {"text": "b"}]', "facts.jsonl", "the line begins a JSON array.* where it is named .json"),
        (b'{"text": "a",}\n', "facts.jsonl", r"line 1: [^;]+ at column \d+$"),
        (b'{"text": "a"}\na, b\n', "facts.jsonl", r"line 2: [^;]+ at column \d+$"),
    ],
)
def test_a_file_of_another_format_is_recognized(read: Read, content: bytes, name: str, told: str) -> None:
    with pytest.raises(mlm.DataError, match=told):
        read(content, name)


def test_nested_columns_hold_what_their_rows_hold(read: Read) -> None:
    messages = [[{"role": "user", "content": "hi"}], [], [{"role": "user", "content": "x", "name": "n"}]]

    data = read([{"messages": m, "meta": {}} for m in messages])

    found = [[{k: v for k, v in part.items() if v is not None} for part in row["messages"]] for row in data.rows()]
    assert found == messages


def test_what_arrow_cannot_hold_is_set_aside(read: Read) -> None:
    data = read(b'{"a": "x", "b": [1], "c": 1}\n{"a": "\\ud800", "b": [2], "c": 2}\n{"a": "y", "b": [1, "z"], "c": 3}\n'
                b'{"a": "w", "b": [3], "c": 1267650600228229401496703205376}\n{"\\udfff": 1}\n',
                on_error="set-aside")  # fmt: skip

    assert [row["a"] for row in data.rows()] == ["x"]
    assert set(details(data)) == {f"facts.jsonl:{line}" for line in (2, 3, 4, 5)}


def test_a_split_that_is_no_plain_name_is_set_aside(read: Read, tmp_path: Path) -> None:
    data = read(
        [{"text": "a", "split": "../../evil"}, {"text": "b", "split": "test"}, {"text": "c", "split": None}],
        on_error="set-aside",
    )

    assert data.splits == ["test", "train"]
    assert details(data) == {"facts.jsonl:1": "split is no plain name: '../../evil'"}
    assert not list(tmp_path.rglob("evil*"))


def test_the_files_own_id_and_source_are_kept_under_another_name(read: Read) -> None:
    (row,) = read([{"row_id": "7", "source": "web", "text": "a"}]).rows()

    assert (row["original_row_id"], row["original_source"], row["source"]) == ("7", "web", "facts.jsonl:1")


def test_gzip_a_byte_order_mark_and_blank_lines_are_read(read: Read) -> None:
    data = read(b'\xef\xbb\xbf{"text": "a"}\r\n\n  \n{"text": "b"}', name="facts.jsonl.gz")

    assert [(row["text"], row["source"]) for row in data.rows()] == [
        ("a", "facts.jsonl.gz:1"),
        ("b", "facts.jsonl.gz:4"),
    ]


def test_an_empty_file_has_no_rows(read: Read) -> None:
    assert read(b"").num_rows == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "a"', "line 2: Expecting ',' delimiter at column 13"),
        (b"text", "line 2: Expecting value at column 1"),
        (b'{"n": NaN}', "line 2: NaN is not JSON"),
        (b'{"text": "\xff"}', "line 2: byte 11 is not UTF-8"),
        (b"[" * 100_000, "line 2: it is nested deeper than 100"),
    ],
)
def test_a_malformed_line_is_named(read: Read, line: bytes, message: str) -> None:
    with pytest.raises(mlm.DataError, match=r"facts\.jsonl") as error:
        read(b'{"text": "a"}\n' + line + b'\n{"text": "b"}\n')

    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 5000)[:-20])

    with pytest.raises(
        mlm.DataError, match=r"facts\.jsonl\.gz, line \d+: cannot be read beyond line \d+: Compressed file ended"
    ):
        Jsonl(path=path).mlm_read(context=context(tmp_path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.jsonl", "no such file: {path}"),
        (".", "the folder {path} has no .jsonl or .ndjson or .json file"),
        ("*.jsonl", "no file matches {path}"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, name: str, message: str) -> None:
    path = tmp_path / name

    with pytest.raises(mlm.ProjectError) as error:
        Jsonl(path=path).mlm_read(context=context(tmp_path))

    assert message.format(path=path) in str(error.value)


def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="string"):
        Jsonl(path=tmp_path / "x", columns={"text": "str"})


def test_a_list_that_only_ever_held_null_is_stored(read: Read) -> None:
    dataset = read([{"text": "a", "tags": [None, None]}, {"text": "b", "tags": []}])

    assert [row["tags"] for row in dataset.rows()] == [[None, None], []]


values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4)
)
nested = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)
rows = st.lists(st.dictionaries(st.sampled_from(["text", "n", "meta", "split"]), nested) | nested, max_size=9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(rows=rows, size=st.integers(1, 4))
@example(rows=[[{}]], size=1)
@example(rows=[[{}], {"text": "a"}], size=1)
def test_every_line_is_a_row_or_a_removal(read: Read, rows: list[Any], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "BLOCK_BYTES", 64 * size)
        small = read(rows, on_error="set-aside")
    large = read(rows, on_error="set-aside")

    assert small.num_rows + len(list(small.removed())) == len(rows)
    assert list(small.rows()) == list(large.rows())
    assert list(small.removed()) == list(large.removed())
