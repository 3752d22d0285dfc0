"""Parquet files read one row group after another: asked for all at once, Arrow holds the bytes of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def record_batches(
    file: Path, size: int, columns: Sequence[str] | None = None, groups: Iterable[int] | None = None
) -> Iterator[pa.RecordBatch]:
    """Read a file's rows, or those of some row groups, in order; a batch has at most `size` rows, of one row group."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parquet:
        for group in range(parquet.num_row_groups) if groups is None else groups:
            # Arrow's threads each keep memory that they used; decoding is not what a step waits for.
            yield from parquet.iter_batches(size, row_groups=[group], columns=columns, use_threads=False)


def tables(files: Iterable[Path], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read files in tables of at most 4096 rows; a file or a column that is not there is passed over."""
    import pyarrow as pa

    for file in files:
        if file.exists():
            for batch in record_batches(file, 4096, columns):
                yield pa.Table.from_batches([batch])
