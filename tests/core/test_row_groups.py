"""A dataset is read one row group after another, whatever its size."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

import mlm

GROUPS, ROWS, GROUP_BYTES = 40, 900, 1_000_000


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> mlm.Dataset:
    """A dataset of many row groups, of texts that hardly compress: the file is about half as large as they are."""
    chance = random.Random(0)
    monkeypatch.setattr("mlm.dataset_writer.GROUP_BYTES", GROUP_BYTES)
    with mlm.DatasetWriter(tmp_path / "large") as writer:
        for group in range(GROUPS):
            ids = [f"r{group}-{row}" for row in range(ROWS)]
            texts = [chance.randbytes(600).hex() for _ in ids]
            writer.write(mlm.Batch(pa.table({"row_id": ids, "source": ids, "text": texts})))
    return writer.dataset


def test_no_more_than_a_few_row_groups_are_held(large: mlm.Dataset) -> None:
    before, rows, most = pa.total_allocated_bytes(), 0, 0
    for batch in large.batches(64):
        most = max(most, pa.total_allocated_bytes() - before)
        rows += batch.num_rows
        del batch

    assert rows == GROUPS * ROWS
    # One row group, as it lies in the file and decoded; all together are forty.
    assert most < 8 * GROUP_BYTES


def test_rows_come_in_their_order_in_batches_of_a_bounded_size(large: mlm.Dataset) -> None:
    batches = list(large.batches(64, columns=["row_id"]))

    assert max(batch.num_rows for batch in batches) <= 64
    ids = [row_id for batch in batches for row_id in batch.column("row_id").to_pylist()]
    assert ids == [f"r{group}-{row}" for group in range(GROUPS) for row in range(ROWS)]
