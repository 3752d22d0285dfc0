"""What mlm stores, the `datasets` library opens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mlm
from mlm_plugins.sources.jsonl import Jsonl

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")


@pytest.mark.heavy
def test_a_stored_dataset_opens_in_datasets_with_its_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    rows = [
        {"prompt": f"p{i}", "score": i / 2, "tags": ["x"] * i, "split": "test" if i % 3 else "train"} for i in range(9)
    ]
    path = tmp_path / "facts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    context = mlm.Context(folder=tmp_path / "out", work=tmp_path / "w", project=tmp_path, problem=PROBLEM)
    data = Jsonl(path=path).mlm_read(context=context)

    files = {split: [str(file) for file in data.narrowed(split).files] for split in data.splits}
    opened = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))

    assert {split: len(part) for split, part in opened.items()} == {"train": 3, "test": 6}
    found = [{name: row[name] for name in rows[0]} for split in ("train", "test") for row in opened[split]]
    assert sorted(found, key=lambda row: row["prompt"]) == rows
    for split in data.splits:
        assert list(opened[split]["row_id"]) == [row["row_id"] for row in data.narrowed(split).rows()]
