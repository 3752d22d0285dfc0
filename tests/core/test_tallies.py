"""What one hook did to the rows is counted by rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

import mlm
from mlm.tallies import tally_of


def test_a_row_that_was_changed_for_two_reasons_counts_once(tmp_path: Path) -> None:
    table = pa.table({"row_id": ["a", "b", "c"], "source": ["f:1", "f:2", "f:3"], "text": ["x", "y", "z"]})
    changes = (mlm.Change("masked", ("a", "b")), mlm.Change("labelled", ("a",)))
    with mlm.DatasetWriter(tmp_path) as writer:
        writer.write(mlm.Batch(table, changes=changes))

    tally = tally_of("clean", writer.dataset)

    assert (tally.rows_in, tally.rows_out, tally.changed) == (3, 3, 2)
