"""The contract names the rows that break it."""

from __future__ import annotations

from typing import Any

import pytest

import mlm
from mlm_plugins.transforms.validate import Validate

GOOD = {"prompt": ["What is X?", "Who is Y?"], "completion": ["a", "b"], "split": ["train", "test"]}


def test_what_keeps_the_contract_passes_unchanged(apply: Any, store: Any) -> None:
    made = apply(Validate(min_rows=2, unique=["prompt"]), GOOD)

    assert list(made.rows()) == list(store(GOOD).rows())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"completion": ["a", None]}, "clean: row r1 has no completion; remove such rows with 'schema'"),
        ({"completion": ["a", "  "]}, "clean: row r1 has no completion; remove such rows with 'schema'"),
        ({"row_id": ["x", "x"]}, "clean: rows at f:2 and f:1 have the same row_id: 'x'"),
        ({"prompt": ["what is  x", "What is X?"]}, "clean: rows r1 (test) and r0 (train) ask the same: 'what is  x'"),
        ({"completion": ["a", "a"]}, "clean: rows at f:2 and f:1 have the same completion: 'a'"),
    ],
)
def test_a_broken_contract_is_an_error(apply: Any, rows: dict[str, Any], message: str) -> None:
    with pytest.raises(mlm.DataError) as error:
        apply(Validate(unique=["completion"]), GOOD | rows)

    assert str(error.value) == message


def test_too_few_rows_are_an_error(apply: Any) -> None:
    with pytest.raises(mlm.DataError, match="clean: 2 rows are left, expected at least 3"):
        apply(Validate(min_rows=3), GOOD)
    with pytest.raises(mlm.DataError, match="0 rows are left, expected at least 1"):
        apply(Validate(), {"prompt": []})


def test_nothing_is_finished_when_the_contract_is_broken(apply: Any, tmp_path: Any) -> None:
    with pytest.raises(mlm.DataError):
        apply(Validate(min_rows=3), GOOD)

    assert not list(tmp_path.glob("out*/statistics.json"))
