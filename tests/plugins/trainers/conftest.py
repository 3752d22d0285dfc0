"""A workshop that trains tiny models on a few rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from talks import Loader

import mlm


class Workshop:
    """Gives contexts, datasets and digests in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points: list[tuple[int, dict[str, float]]] = []
        self.ticks: list[tuple[float, float | None]] = []

    def context(self, name: str, seed: int = 0) -> mlm.Context:
        work = self.folder / f"{name}.work"
        for path in (self.folder / name, work):
            path.mkdir(exist_ok=True)
        return mlm.Context(
            folder=self.folder / name,
            work=work,
            project=self.folder,
            problem=mlm.Problem(name="t", task="chat", purpose="p"),
            seed=seed,
            threads=1,
            step=name,
            log=lambda step, values: self.points.append((step, values)),
            progress=lambda done, total=None, note="": self.ticks.append((done, total)),
        )

    def data(self, name: str, rows: Iterable[Mapping[str, Any]]) -> mlm.Dataset:
        table = pa.Table.from_pylist([{"row_id": f"{n}", "source": "test", **row} for n, row in enumerate(rows)])
        with mlm.DatasetWriter(self.folder / name) as writer:
            writer.write(mlm.Batch(table))
        return writer.dataset

    @staticmethod
    def digest(folder: Path) -> dict[str, str]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture(scope="module")
def load(byte_tokenizer: Path) -> Loader:
    def loaded(template: str | None) -> Any:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(byte_tokenizer)
        tokenizer.chat_template = template
        return tokenizer

    return loaded
