"""A mix holds the rows of all its datasets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import mlm
from mlm_plugins.sources.mix import Mix

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")


def stored(folder: Path, ref: str, columns: Mapping[str, list[Any]]) -> mlm.Dataset:
    import pyarrow as pa

    with mlm.DatasetWriter(folder / ref) as writer:
        writer.write(mlm.Batch(pa.table(dict(columns))))
    return evolve(writer.dataset, ref=ref)


@pytest.fixture
def context(tmp_path: Path) -> mlm.Context:
    return mlm.Context(folder=tmp_path / "out", work=tmp_path / "w", project=tmp_path, problem=PROBLEM, step="all")


@pytest.fixture
def facts(tmp_path: Path) -> mlm.Dataset:
    return stored(tmp_path, "facts@1", {"row_id": ["a", "b"], "source": ["f:1", "f:2"], "text": ["x", "y"]})


@pytest.fixture
def scored(tmp_path: Path) -> mlm.Dataset:
    return stored(tmp_path, "scored@3", {"row_id": ["c", "a"], "source": ["s:1", "s:2"], "score": [1.5, 2.0]})


def test_missing_columns_are_null_and_sources_stay(
    facts: mlm.Dataset, scored: mlm.Dataset, context: mlm.Context
) -> None:
    rows = list(Mix(inputs=[facts, scored]).mlm_read(context=context).rows())

    assert [tuple(row.values()) for row in rows] == [
        ("a", "f:1", "x", None),
        ("b", "f:2", "y", None),
        ("c", "s:1", None, 1.5),
        ("a#2", "s:2", None, 2.0),
    ]


def test_a_repeated_dataset_comes_again_with_ids_of_its_own(facts: mlm.Dataset, context: mlm.Context) -> None:
    data = Mix(inputs=[facts], repeat={"facts": 3}).mlm_read(context=context)

    assert [row["row_id"] for row in data.rows()] == ["a", "b", "a#2", "b#2", "a#3", "b#3"]


def test_repeating_what_is_not_mixed_is_an_error(facts: mlm.Dataset, context: mlm.Context) -> None:
    with pytest.raises(mlm.ProjectError, match=r"repeat names 'fact', which is not mixed \(mixed: facts\)"):
        Mix(inputs=[facts], repeat={"fact": 2}).mlm_read(context=context)


def test_rows_without_a_split_go_to_train(tmp_path: Path, facts: mlm.Dataset, context: mlm.Context) -> None:
    parted = stored(tmp_path, "p@1", {"row_id": ["d"], "source": ["p"], "text": ["z"], "split": ["test"]})

    data = Mix(inputs=[facts, parted]).mlm_read(context=context)

    assert {split: data.narrowed(split).num_rows for split in data.splits} == {"test": 1, "train": 2}


def test_columns_of_two_types_are_an_error(tmp_path: Path, scored: mlm.Dataset, context: mlm.Context) -> None:
    other = stored(tmp_path, "o@1", {"row_id": ["d"], "source": ["p"], "score": ["high"]})

    with pytest.raises(mlm.DataError, match="disagree"):
        Mix(inputs=[scored, other]).mlm_read(context=context)
