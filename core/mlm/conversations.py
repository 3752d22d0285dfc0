"""Columns of conversations: lists of messages, each a record with `role` and `content`, as TRL and OpenAI have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mlm.message_texts import CONTENT, MORE, ROLE, notes, texts, with_notes, with_texts
from mlm.transcripts import written

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def is_conversation(kind: pa.DataType) -> bool:
    """Say whether a column of that type holds conversations."""
    import pyarrow as pa

    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(listed and pa.types.is_struct(kind.value_type) and kind.value_type.get_field_index(CONTENT) >= 0)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as one text a row: the texts of a conversation's messages stand on lines of their own."""
    if not is_conversation(column.type):
        return column
    found, _, offsets = _laid_out(column)
    return _lines(found, offsets)


def as_transcript(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as one text a row: of a conversation, a line a message, with its role and its tool calls."""
    import pyarrow as pa

    if not is_conversation(column.type):
        return column
    messages = _messages(column)
    lines = _spoken(messages) if _is_plain(messages) else pa.array(map(written, messages.to_pylist()), pa.string())
    return _lines(lines, _offsets(column))


@frozen
class Pieces:
    """The texts that a column holds, one after another."""

    texts: pa.ChunkedArray
    """Its values, or what its messages say."""
    names: list[str | None]
    """Key that each stands under in a tool call's arguments; None where it is no argument."""
    rows: NDArray[np.int64]
    """Row of each."""


def pieces(column: pa.ChunkedArray, beside: str = "") -> Pieces:
    """Return the texts that a column holds, one after another: its values, or the texts of all its messages.

    A message's texts are its content or the text parts of it, its name, its thoughts, its refusal, and then the values
    that its tool calls hand over.

    Args:
        beside: The column's name, to return all that its records, its JSON or its messages hold, but for roles and
            what says whom a row is about.
    """
    import numpy as np
    import pyarrow as pa

    if not _is_laid_out(column, beside):
        return Pieces(column, [None] * len(column), np.arange(len(column)))
    found, names, offsets = _laid_out(column, beside)
    return Pieces(pa.chunked_array([found]), names, np.repeat(np.arange(len(column)), np.diff(offsets)))


def with_pieces(column: pa.ChunkedArray, others: pa.ChunkedArray | pa.Array, beside: str = "") -> pa.ChunkedArray:
    """Return a column with other texts in the places of its pieces."""
    import pyarrow as pa

    if not _is_laid_out(column, beside):
        return others
    values = others.combine_chunks() if isinstance(others, pa.ChunkedArray) else others
    if not is_conversation(column.type):
        rest = iter(values.to_pylist())
        made = pa.array([with_notes(value, rest, beside) for value in column.to_pylist()], column.type)
        return pa.chunked_array([made])
    messages = _messages(column)
    kind = messages.type
    if _is_plain(messages, beside):
        fields = [
            values.cast(part.type) if part.name == CONTENT else own
            for part, own in zip(kind, messages.flatten(), strict=True)
        ]
        made = pa.StructArray.from_arrays(fields, fields=list(kind), mask=messages.is_null())
    else:
        left = iter(values.to_pylist())
        made = pa.array([with_texts(message, left, beside) for message in messages.to_pylist()], kind)
    offsets = pa.array(_offsets(column), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, made, mask=column.is_null().combine_chunks())
    return pa.chunked_array([lists.cast(column.type)])


def text_of(row: Mapping[str, Any], columns: Iterable[str]) -> str:
    """Return the texts of a row's columns, each on a line of its own; columns that it lacks are left out."""
    return "\n".join(_plain(row[name]) for name in columns if row.get(name))


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(text for one in value for text in (_said(one) if isinstance(one, Mapping) else [str(one)]))
    return str(value)


def _said(message: Mapping[str, Any]) -> list[str]:
    return [text or "" for _, text in texts(message)]


def _is_laid_out(column: pa.ChunkedArray, beside: str) -> bool:
    """Say whether a column's pieces are others than its values."""
    return bool(beside) or is_conversation(column.type)


def _laid_out(column: pa.ChunkedArray, beside: str = "") -> tuple[pa.Array, list[str | None], NDArray[np.int64]]:
    """Return the pieces of a column, their names, and where each row's begin among all and the last row's end."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_conversation(column.type):
        messages, offsets = _messages(column), _offsets(column)
        if _is_plain(messages, beside):
            return pc.struct_field(messages, CONTENT).cast(pa.string()), [None] * len(messages), offsets
        found = [texts(message, beside) for message in messages.to_pylist()]
    else:
        offsets = np.arange(len(column) + 1)
        found = [notes(value, beside) for value in column.to_pylist()]
    ends = np.cumsum([0, *map(len, found)])
    pieces = pa.array([text for some in found for _, text in some], pa.string())
    return pieces, [name for some in found for name, _ in some], ends[offsets]


def _lines(texts: pa.Array, offsets: NDArray[np.int64]) -> pa.ChunkedArray:
    """Join the texts of each row, which begin where the offsets say."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pc.fill_null(texts, ""))
    return pa.chunked_array([pc.binary_join(lists, "\n")])


def _spoken(messages: pa.StructArray) -> pa.Array:
    """Return what `written` does of messages that have a role and a content, and no more."""
    import pyarrow as pa
    import pyarrow.compute as pc

    role, content = (
        pc.fill_null(pc.struct_field(messages, name).cast(pa.string()), "")
        if messages.type.get_field_index(name) >= 0
        else pa.scalar("")
        for name in (ROLE, CONTENT)
    )
    return pc.if_else(messages.is_valid(), pc.binary_join_element_wise(role, content, ": "), "")


def _is_plain(messages: pa.StructArray, beside: str = "") -> bool:
    """Say whether a content is all that each message says, or that it holds beside its role."""
    import pyarrow as pa

    empty = all(
        (part.name in (ROLE, CONTENT) if beside else part.name not in MORE)
        or messages.field(place).null_count == len(messages)
        for place, part in enumerate(messages.type)
    )
    return empty and not pa.types.is_nested(messages.type.field(CONTENT).type)


def _messages(column: pa.ChunkedArray) -> pa.StructArray:
    return column.combine_chunks().flatten()


def _offsets(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return where each row's messages begin among all of them, and where the last row's end."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    ends: NDArray[np.int64] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return ends
