"""The dataset card: rows, columns, funnel, personal data, uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trial import TrialProject

from mlm.cards import dataset_card
from mlm.cards.tasks import size_category
from mlm.errors import MlmError

pyyaml = pytest.importorskip("yaml")


def written(project: TrialProject, ref: str) -> str:
    with project.open() as workspace:
        return dataset_card(workspace, ref).markdown


def head(markdown: str) -> dict[str, Any]:
    found: dict[str, Any] = pyyaml.safe_load(markdown.split("---\n")[1])
    return found


def section(markdown: str, title: str) -> str:
    return markdown.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_head_says_where_each_split_lies(recorded: TrialProject) -> None:
    found = head(written(recorded, "facts"))

    files = [{"split": "test", "path": "data/test-*.parquet"}, {"split": "train", "path": "data/train-*.parquet"}]
    assert found["configs"] == [{"config_name": "default", "data_files": files}]
    assert found["size_categories"] == ["n<1K"]
    assert found["dataset_info"]["splits"] == [
        {"name": "test", "num_examples": 2},
        {"name": "train", "num_examples": 5},
    ]
    features = {f["name"]: f["dtype"] for f in found["dataset_info"]["features"]}
    assert features == {"row_id": "string", "source": "string", "text": "string", "score": "float64", "split": "string"}


@pytest.mark.heavy
def test_the_hub_library_reads_the_card(recorded: TrialProject) -> None:
    hub = pytest.importorskip("huggingface_hub")

    data = hub.DatasetCard(written(recorded, "facts")).data

    assert (data.license, data.size_categories, data.pretty_name) == ("apache-2.0", ["n<1K"], "atlas facts")


@pytest.mark.heavy
def test_datasets_opens_the_folder_as_the_card_says(
    recorded: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    (tmp_path / "facts" / "README.md").write_text(written(recorded, "facts"), encoding="utf-8")

    found = datasets.load_dataset(str(tmp_path / "facts"), cache_dir=str(tmp_path / "cache"))

    assert {split: len(rows) for split, rows in found.items()} == {"train": 5, "test": 2}


def test_the_funnel_names_each_transform_with_its_reasons_and_settings(recorded: TrialProject) -> None:
    found = section(written(recorded, "facts"), "Preprocessing")

    assert "| jsonl | 10 | 9 | 0 | schema 1 | — |" in found
    assert "| pii | 9 | 9 | 3 | — | — |" in found
    assert '| exact | 9 | 7 | 0 | duplicate 2 | `{"columns": ["text"]}` |' in found


def test_paths_are_relative_to_the_project(recorded: TrialProject) -> None:
    found = section(written(recorded, "facts"), "Sources")

    assert 'Read by mlm:sources/jsonl 0.1.0 with `{"path": "facts.jsonl"}`.' in found


def test_personal_data_is_told_from_the_chain(recorded: TrialProject) -> None:
    cleaned, bare = (
        section(written(recorded, name), "Personal and sensitive information") for name in ("facts", "raw")
    )

    assert "looked for personal data in facts@1: 3 rows changed, 0 removed" in cleaned
    assert "No transform looked for personal data in raw@1 itself." in bare


def test_uses_name_the_models_and_who_serves_them(recorded: TrialProject) -> None:
    found = section(written(recorded, "facts"), "Uses")

    assert "| chat@1 | model | — |" in found
    assert "| safe@1 | model | api 100% |" in found
    assert "1 evaluation reports rest on it." in found


def test_bytes_that_are_not_here_leave_the_columns_out(recorded: TrialProject) -> None:
    assert "features" not in head(written(recorded, "raw"))["dataset_info"]


def test_a_model_has_no_dataset_card(recorded: TrialProject) -> None:
    with pytest.raises(MlmError, match="safe@1 is a model, not a dataset"):
        written(recorded, "safe")


@pytest.mark.parametrize(
    ("rows", "category"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**13, "n>1T")]
)
def test_sizes_fall_into_the_categories_of_the_hub(rows: int, category: str) -> None:
    assert size_category(rows) == category
