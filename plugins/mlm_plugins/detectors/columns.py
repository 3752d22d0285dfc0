"""Text columns as Arrow holds them, for what reads bytes and not Python strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlm.conversations import as_text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def joined(table: pa.Table, columns: Sequence[str], separator: str = "\n") -> pa.ChunkedArray:
    """Return each row's texts joined, as `Batch.texts` does with newlines; a null is an empty text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = [as_text(table.column(name)).cast(pa.large_string()) for name in columns]
    if len(found) == 1:
        return found[0]
    if not found:
        return pa.chunked_array([pa.repeat(pa.scalar("", pa.large_string()), table.num_rows)])
    between = pa.scalar(separator, pa.large_string())
    return pc.binary_join_element_wise(*found, between, null_handling="replace", null_replacement="")


def utf8(texts: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the UTF-8 bytes of a string column, and (rows + 1) where each row begins and ends; null reads as empty."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.fill_null(texts.cast(pa.large_string()), "")
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not len(column):
        return np.zeros(1, np.uint8), np.zeros(1, np.int64)
    _, places, data = column.buffers()
    offsets = np.frombuffer(places, np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8), offsets


def with_values(column: pa.ChunkedArray, values: Mapping[int, str]) -> pa.ChunkedArray:
    """Return a column with other texts in some places, which are given in ascending order."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = np.zeros(len(column), bool)
    mask[list(values)] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array(values.values(), column.type))
