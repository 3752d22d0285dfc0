"""A contract says all that breaks it at once, and names the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.transforms.contract import Column
from mlm_plugins.transforms.repeats import Repeats
from mlm_plugins.transforms.validate import Validate

GOOD = {"prompt": ["What is X?", "Who is Y?"], "completion": ["a", "b"], "split": ["train", "test"]}


def refusal(apply: Any, contract: Validate, rows: dict[str, Any]) -> str:
    """Return what the contract says, without the place of the listing."""
    with pytest.raises(mlm.DataError) as error:
        apply(contract, rows)
    return str(error.value).partition("; the rows are listed in")[0]


def test_what_keeps_the_contract_passes_unchanged(apply: Any, store: Any) -> None:
    made = apply(Validate(min_rows=2, unique=["prompt"]), GOOD)

    assert list(made.rows()) == list(store(GOOD).rows())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"completion": ["a", None]}, "'completion' is empty, and 'schema' removes such rows: 1 row (r1 at f:2)"),
        ({"completion": ["a", "  "]}, "'completion' is empty, and 'schema' removes such rows: 1 row (r1 at f:2)"),
        ({"row_id": ["x", "x"]}, "'row_id' comes twice: 1 row (x at f:1: as x at f:2)"),
        (
            {"prompt": ["what is  x", "What is X?"]},
            "the same is asked in two splits, case and punctuation aside ('split' keeps such rows together: put it "
            "after what changes prompts): 1 row (r0 at f:1: as r1 at f:2)",
        ),
        ({"completion": ["a", "a"]}, "'completion' comes twice: 1 row (r0 at f:1: as r1 at f:2)"),
    ],
)
def test_a_broken_rule_is_an_error(apply: Any, rows: dict[str, Any], message: str) -> None:
    assert refusal(apply, Validate(unique=["completion"]), GOOD | rows) == f"clean: 1 rule is broken: {message}"


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ({"type": "integer"}, [0.5, 1.0], "'x' is of type double, expected integer"),
        ({"type": "string"}, [1, 2], "'x' is of type int64, expected string"),
        ({"required": True}, [None, 1], "'x' is empty: 1 row (r0 at f:1)"),
        ({"required": True}, ["a", " "], "'x' is empty: 1 row (r1 at f:2)"),
        ({"values": ["en", "de"]}, ["en", "fr"], "'x' is none of en, de: 1 row (r1 at f:2: fr)"),
        ({"min": 0}, [-0.5, 2.0], "'x' is below 0: 1 row (r0 at f:1: -0.5)"),
        ({"min": 0}, [[1], [2]], "'x' is of type list<element: int64>, which has no min, max, mean or quantiles"),
        ({"max": 3}, ["four", "abc"], "the length of 'x' is above 3: 1 row (r0 at f:1: 4)"),
        ({"max_null_share": 0.25}, [None, 1], "'x' is null in a share of 0.5, at most 0.25"),
        ({"mean": [2, 3]}, [4, 6], "the mean of 'x' is 5, expected 2 to 3"),
        ({"quantiles": {"0.5": [6, 9]}}, [4, 6], "the quantile 0.5 of 'x' is 5, expected 6 to 9"),
        ({"mean": [0, 1]}, [None, None], "the mean of 'x' is nan, expected 0 to 1"),
        ({"shares": {"a": [0.1, 0.4]}}, ["a", "b"], "'a' has a share of 0.5 in 'x', expected 0.1 to 0.4"),
        ({"shares": {"c": [0.1, 0.4]}}, ["a", "b"], "'c' has a share of 0 in 'x', expected 0.1 to 0.4"),
    ],
)  # fmt: skip
def test_a_column_is_held_to_what_the_contract_says(
    apply: Any, column: dict[str, Any], values: list[Any], message: str
) -> None:
    told = refusal(apply, Validate(columns={"x": Column(**column)}), {"prompt": ["a", "b"], "x": values})

    assert told.partition("broken: ")[2] == message


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ({"type": "number", "min": 0, "max": 1, "mean": [0.4, 0.6], "quantiles": {"0.9": [0, 1]}}, [0.0, 1.0]),
        ({"values": ["a"], "max_null_share": 0.5, "shares": {"a": [0.5, 1]}}, ["a", None]),
        ({"type": "list"}, [["a"], []]),
        ({"type": "boolean", "required": True}, [True, False]),
    ],
)
def test_a_column_that_keeps_the_contract_passes(apply: Any, column: dict[str, Any], values: list[Any]) -> None:
    assert apply(Validate(columns={"x": Column(**column)}), {"prompt": ["a", "b"], "x": values}).num_rows == 2


def test_every_broken_rule_is_told_at_once(apply: Any) -> None:
    contract = Validate(
        min_rows=9, licenses=["mit"], columns={"score": Column(max=1), "lang": Column(values=["en"])}, apart=["cluster"]
    )
    rows = {
        "prompt": ["a", "b", "c", "d", "e"],
        "score": [5, 5, 5, 5, 0],
        "lang": ["en", "en", "xx", "en", "en"],
        "license": ["mit", "mit", "gpl", None, "mit"],
        "split": ["train", "train", "train", "train", "test"],
        "cluster": [1, 2, 3, 4, 1],
    }

    # The split `test` is read first.
    assert refusal(apply, contract, rows) == (
        "clean: 6 rules are broken: 'score' is above 1: 4 rows (r0 at f:1: 5, r1 at f:2: 5, r2 at f:3: 5, ...);"
        " 'lang' is none of en: 1 row (r2 at f:3: xx); 'license' is empty: 1 row (r3 at f:4);"
        " 'license' is none of mit: 1 row (r2 at f:3: gpl); 5 rows are left, expected at least 9;"
        " one value of 'cluster' is in two splits: 1 row (r0 at f:1: as r4 at f:5)"
    )


def test_the_listing_holds_every_row_that_breaks_a_rule(apply: Any) -> None:
    with pytest.raises(mlm.DataError) as error:
        apply(Validate(columns={"score": Column(max=1)}), {"prompt": list("abcdef"), "score": [0, 2, 3, 4, 5, 6]})

    listing = Path(str(error.value).partition("the rows are listed in ")[2])
    rows = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]
    assert [row["row_id"] for row in rows] == ["r1", "r2", "r3", "r4", "r5"]
    assert rows[0] == {"rule": "'score' is above 1", "row_id": "r1", "source": "f:2", "why": "2"}


def test_too_few_or_too_many_rows_are_an_error(apply: Any) -> None:
    assert "2 rows are left, expected at least 3" in refusal(apply, Validate(min_rows=3), GOOD)
    assert "2 rows are left, expected at most 1" in refusal(apply, Validate(max_rows=1), GOOD)
    assert "0 rows are left, expected at least 1" in refusal(apply, Validate(), {"prompt": []})


def test_columns_that_are_not_there_are_broken_rules_beside_the_others(apply: Any) -> None:
    contract = Validate(
        licenses=["mit"],
        unique=["topic"],
        apart=["cluster"],
        columns={"prompt": Column(max=9), "x": Column(mean=[0, 1])},
    )
    with pytest.raises(mlm.DataError) as error:
        apply(contract, {"prompt": ["What is X?", "Why?"]})

    told, _, listing = str(error.value).partition("; the rows are listed in ")
    columns = "(columns: row_id, source, prompt)"
    rows = "2 rows (r0 at f:1, r1 at f:2)"
    assert told == (
        f"clean: 5 rules are broken: there is no column 'x' {columns}: {rows}; there is no column 'license' {columns}:"
        f" {rows}; there is no column 'topic' {columns}: {rows}; there is no column 'cluster'"
        f" {columns}: {rows}; the length of 'prompt' is above 9: 1 row (r0 at f:1: 10)"
    )
    lines = [json.loads(line) for line in Path(listing).read_text(encoding="utf-8").splitlines()]
    assert [line["row_id"] for line in lines if "'license'" in line["rule"]] == ["r0", "r1"]


def test_nothing_is_finished_when_the_contract_is_broken(apply: Any, tmp_path: Any) -> None:
    with pytest.raises(mlm.DataError):
        apply(Validate(min_rows=3), GOOD)

    assert not list(tmp_path.glob("out*/statistics.json"))


@pytest.mark.parametrize(
    "wrong", [{"type": "text"}, {"mean": [1.0]}, {"quantiles": {"0.5": [1.0]}}, {"max_null_share": 2.0}]
)
def test_a_contract_that_says_nothing_sensible_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Column(**wrong)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from("xy")), max_size=30),
    size=st.integers(1, 9),
)
def test_repeats_are_those_that_a_dictionary_finds(rows: list[tuple[str | None, str]], size: int) -> None:
    repeats, first, again, across = Repeats(), dict[str, int](), [], []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        repeats.add([value for value, _ in part], [side for _, side in part])
    for place, (value, side) in enumerate(rows):
        if value is not None and first.setdefault(value, place) != place:
            again.append((place, first[value]))
            if rows[first[value]][1] != side:
                across.append((place, first[value]))

    assert list(zip(*map(list, repeats.found()), strict=True)) == again
    assert list(zip(*map(list, repeats.found(across=True)), strict=True)) == across
