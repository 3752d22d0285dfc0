"""Text columns as Arrow holds them, for what reads bytes and not Python strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def joined(table: pa.Table, columns: Sequence[str]) -> pa.ChunkedArray:
    """Return each row's texts joined by newlines, as `Batch.texts` does; a null is an empty text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = [table.column(name).cast(pa.large_string()) for name in columns]
    if len(found) == 1:
        return found[0]
    if not found:
        return pa.chunked_array([pa.repeat(pa.scalar("", pa.large_string()), table.num_rows)])
    newline = pa.scalar("\n", pa.large_string())
    return pc.binary_join_element_wise(*found, newline, null_handling="replace", null_replacement="")


def content(texts: pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the UTF-8 bytes of a string column, and (rows + 1) where each row begins and ends."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.fill_null(texts.cast(pa.large_string()), "").combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # One of no chunks stays what it is.
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, places, data = column.buffers()
    offsets = np.frombuffer(places, np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(data or b"", np.uint8), offsets
