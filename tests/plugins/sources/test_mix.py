"""A mix holds the rows of all its datasets."""

from __future__ import annotations

import re
from collections import Counter
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


@pytest.fixture
def large(tmp_path: Path) -> mlm.Dataset:
    ids = [f"l{i}" for i in range(90)]
    return stored(tmp_path, "large@1", {"row_id": ids, "source": ids, "text": ids})


@pytest.fixture
def small(tmp_path: Path) -> mlm.Dataset:
    ids = [f"s{i}" for i in range(10)]
    return stored(tmp_path, "small@1", {"row_id": ids, "source": ids, "text": ids})


def counted(data: mlm.Dataset) -> dict[str, int]:
    return dict(Counter(row["row_id"][0] for row in data.rows()))


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({"weights": {"large": 1, "small": 1}}, {"l": 10, "s": 10}),
        ({"weights": {"large": 3, "small": 1}}, {"l": 30, "s": 10}),
        ({"weights": {"large": 1, "small": 1}, "repeat": {"small": 3}}, {"l": 30, "s": 30}),
        ({"weights": {"large": 1, "small": 1}, "rows": 50}, {"l": 25, "s": 25}),
        ({"weights": {"small": 1, "large": 0}}, {"s": 10}),
        ({"temperature": 2.0}, {"l": 30, "s": 10}),
        ({"rows": 20}, {"l": 18, "s": 2}),
    ],
)
def test_each_dataset_gives_its_share(
    large: mlm.Dataset, small: mlm.Dataset, context: mlm.Context, settings: dict[str, Any], counts: dict[str, int]
) -> None:
    data = Mix(inputs=[large, small], **settings).mlm_read(context=context)

    assert counted(data) == counts
    ids = [row["row_id"] for row in data.rows()]
    assert len(set(ids)) == len(ids)
    gone = {row["row_id"] for row in data.removed()}
    everything = {*(f"l{i}" for i in range(90)), *(f"s{i}" for i in range(10))}
    assert {row_id.partition("#")[0] for row_id in ids} | gone == everything
    assert gone.isdisjoint(row_id.partition("#")[0] for row_id in ids)


def test_the_rows_that_are_drawn_depend_on_the_seed_and_the_ids_alone(
    tmp_path: Path, large: mlm.Dataset, context: mlm.Context
) -> None:
    ids = [f"l{i}" for i in range(90)][::-1]
    turned = stored(tmp_path, "turned@1", {"row_id": ids, "source": ids, "text": ids})

    def drawn(data: mlm.Dataset, name: str, seed: int) -> set[str]:
        made = Mix(inputs=[data], rows=20).mlm_read(context=evolve(context, folder=tmp_path / name, seed=seed))
        return {row["row_id"] for row in made.rows()}

    assert drawn(large, "one", 1) == drawn(turned, "two", 1) != drawn(large, "three", 2)


def test_weights_of_what_is_not_mixed_are_an_error(facts: mlm.Dataset, context: mlm.Context) -> None:
    with pytest.raises(mlm.ProjectError, match=r"weights names 'fact', which is not mixed \(mixed: facts\)"):
        Mix(inputs=[facts], weights={"fact": 2}).mlm_read(context=context)
    with pytest.raises(mlm.ProjectError, match="every weight is 0"):
        Mix(inputs=[facts], weights={"facts": 0}).mlm_read(context=context)


def test_a_dataset_without_a_weight_is_an_error(facts: mlm.Dataset, scored: mlm.Dataset, context: mlm.Context) -> None:
    told = "weights leave out 'scored', which is mixed: give it a share, or 0 to take none of it  [all]"
    with pytest.raises(mlm.ProjectError, match=re.escape(told)):
        Mix(inputs=[facts, scored], weights={"facts": 1}).mlm_read(context=context)


def test_a_mix_in_shares_says_how_often_each_dataset_was_read(
    large: mlm.Dataset, small: mlm.Dataset, context: mlm.Context
) -> None:
    logged: dict[str, float] = {}
    listening = evolve(context, log=lambda at, values: logged.update(values))

    Mix(inputs=[large, small], weights={"large": 1, "small": 1}, rows=90).mlm_read(context=listening)

    assert logged == {"times_read_large": 0.5, "times_read_small": 4.5}


def test_rows_without_a_split_go_to_train(tmp_path: Path, facts: mlm.Dataset, context: mlm.Context) -> None:
    parted = stored(tmp_path, "p@1", {"row_id": ["d"], "source": ["p"], "text": ["z"], "split": ["test"]})

    data = Mix(inputs=[facts, parted]).mlm_read(context=context)

    assert {split: data.narrowed(split).num_rows for split in data.splits} == {"test": 1, "train": 2}


@pytest.mark.parametrize(
    ("columns", "means"),
    [
        ({"text": ["t"]}, "the transform `rename`"),
        ({"messages": [[{"role": "user", "content": "q"}]]}, '`to = "messages"` of the source `instructions`'),
    ],
)
def test_datasets_of_two_forms_are_an_error_that_names_both_and_what_converts_one(
    tmp_path: Path, scored: mlm.Dataset, context: mlm.Context, columns: dict[str, Any], means: str
) -> None:
    other = stored(tmp_path, "o@1", {"row_id": ["c"], "source": ["o"], **columns})
    pairs = stored(tmp_path, "p@1", {"row_id": ["d"], "source": ["p"], "prompt": ["q"], "completion": ["a"]})

    has = f"o@1 has {next(iter(columns))}, p@1 has prompt and completion"
    told = f"one form, got several: {has}; give them the same columns first, such as by {means}"
    with pytest.raises(mlm.DataError, match=re.escape(told)):
        Mix(inputs=[other, scored, pairs]).mlm_read(context=context)


def test_columns_of_two_types_are_an_error_that_names_both(
    tmp_path: Path, facts: mlm.Dataset, scored: mlm.Dataset, context: mlm.Context
) -> None:
    other = stored(tmp_path, "o@1", {"row_id": ["d"], "source": ["p"], "meta": [{"b": 1}], "score": ["high"]})
    third = stored(tmp_path, "t@2", {"row_id": ["e"], "source": ["p"], "meta": [{"a": 1}]})

    with pytest.raises(mlm.DataError) as error:
        Mix(inputs=[facts, scored, other, third]).mlm_read(context=context)

    assert str(error.value) == (
        "a mix takes columns of one type, got several of 'score': scored@3 has double, o@1 has string; give it the "
        "same type first, such as by `columns` of a source  [all]"
    )
