"""Columns of conversations: lists of messages, each a record with `role` and `content`, as TRL and OpenAI have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

CONTENT = "content"


def is_conversation(kind: pa.DataType) -> bool:
    """Say whether a column of that type holds conversations."""
    import pyarrow as pa

    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(listed and pa.types.is_struct(kind.value_type) and kind.value_type.get_field_index(CONTENT) >= 0)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as one text a row: the contents of a conversation's messages stand on lines of their own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_conversation(column.type):
        return column
    contents = pc.fill_null(pieces(column), "")
    lists = pa.ListArray.from_arrays(_offsets(column), contents.combine_chunks())
    return pa.chunked_array([pc.binary_join(lists, "\n")])


def pieces(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the texts that a column holds, one after another: its values, or the contents of all its messages."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_conversation(column.type):
        return column
    contents = pc.struct_field(_messages(column), CONTENT)
    return pa.chunked_array([contents.cast(pa.string())])


def rows_of(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the row of each piece of a column."""
    import numpy as np

    if not is_conversation(column.type):
        return np.arange(len(column))
    return np.repeat(np.arange(len(column)), np.diff(_offsets(column).to_numpy()))


def with_pieces(column: pa.ChunkedArray, texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """Return a column with other texts in the places of its pieces."""
    import pyarrow as pa

    if not is_conversation(column.type):
        return texts
    messages = _messages(column)
    kind = messages.type
    values = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    parts = [
        values.cast(part.type) if part.name == CONTENT else own
        for part, own in zip(kind, messages.flatten(), strict=True)
    ]
    made = pa.StructArray.from_arrays(parts, fields=list(kind), mask=messages.is_null())
    lists = pa.ListArray.from_arrays(_offsets(column), made, mask=column.is_null().combine_chunks())
    return pa.chunked_array([lists.cast(column.type)])


def text_of(row: Mapping[str, Any], columns: Iterable[str]) -> str:
    """Return the texts of a row's columns, each on a line of its own; columns that it lacks are left out."""
    return "\n".join(_plain(row[name]) for name in columns if row.get(name))


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(one.get(CONTENT) or "") if isinstance(one, Mapping) else str(one) for one in value)
    return str(value)


def _messages(column: pa.ChunkedArray) -> pa.StructArray:
    return column.combine_chunks().flatten()


def _offsets(column: pa.ChunkedArray) -> pa.Array:
    """Return where each row's messages begin among all of them, and where the last row's end."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
