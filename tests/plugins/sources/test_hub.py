"""Datasets of the `datasets` library are read with their splits; the Hub only at a commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm_plugins.sources.hub import Datasets

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")


@pytest.fixture
def context(tmp_path: Path) -> mlm.Context:
    return mlm.Context(folder=tmp_path / "out", work=tmp_path / "work", project=tmp_path, problem=PROBLEM, step="facts")


def saved(folder: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    parts = {
        "train": datasets.Dataset.from_dict({"text": ["a", "b"], "n": [1, 2], "source": ["x", "y"]}),
        "test": datasets.Dataset.from_dict({"text": ["c"], "n": [3], "source": ["z"]}),
    }
    datasets.DatasetDict(parts).save_to_disk(folder)


@pytest.mark.heavy
def test_what_save_to_disk_wrote_is_read_with_its_splits(tmp_path: Path, context: mlm.Context) -> None:
    saved(tmp_path / "saved")
    source = Datasets(name="saved")

    data = source.mlm_read(context=context)

    assert {split: data.narrowed(split).num_rows for split in data.splits} == {"train": 2, "test": 1}
    (row,) = data.narrowed("test").rows()
    assert {**row, "row_id": ""} == {
        "row_id": "", "source": "saved/test:1", "text": "c", "n": 3, "original_source": "z", "split": "test",
    }  # fmt: skip
    assert source.mlm_version(context=context) == source.mlm_version(context=context)


@pytest.mark.heavy
def test_a_split_can_be_chosen_and_an_unknown_one_is_named(tmp_path: Path, context: mlm.Context) -> None:
    saved(tmp_path / "saved")

    assert Datasets(name="saved", split="test").mlm_read(context=context).splits == ["test"]
    with pytest.raises(mlm.DataError, match=r"saved has no split 'dev' \(splits: train, test\)"):
        Datasets(name="saved", split="dev").mlm_read(context=context)


@pytest.mark.parametrize("revision", ["", "main", "abc123"])
def test_the_hub_is_read_at_a_commit_alone(context: mlm.Context, revision: str) -> None:
    source = Datasets(name="owner/name", revision=revision)

    for ask in (source.mlm_version, source.mlm_read):
        with pytest.raises(mlm.ProjectError, match="read at a commit"):
            ask(context=context)


@pytest.mark.heavy
def test_without_a_network_the_error_says_so(
    context: mlm.Context, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, Any], None]
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)

    with pytest.raises(mlm.DataError, match=r"owner/name cannot be loaded: .*HF_HUB_OFFLINE") as error:
        Datasets(name="owner/name", revision="0" * 40).mlm_read(context=context)

    assert "\n" not in str(error.value)
