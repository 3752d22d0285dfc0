"""What whole-dataset transforms read: batches of a dataset, and the texts that rows are compared by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import mlm
from mlm.conversations import as_transcript
from mlm.transcripts import as_json
from mlm_plugins.detectors.columns import joined
from mlm_plugins.detectors.folding import SEPARATOR

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_TOOLS = "tools"
_WORD = re.compile(r"[^\W_]+")
_SPACED = {code: " " for code in range(128) if not chr(code).isalnum()}


def batches(data: mlm.Dataset) -> Iterator[mlm.Batch]:
    """Read a dataset batch by batch, in order."""
    import pyarrow as pa

    for record in data.batches():
        yield mlm.Batch(pa.table(record))


def compared(batch: mlm.Batch, columns: list[str], step: str) -> tuple[pa.ChunkedArray, NDArray[np.bool_]]:
    """Return the text that each row is compared by, and which rows hold nothing to compare.

    Compared are these columns, or all text columns and what tools are offered where none are named. Conversations
    are compared with their roles, and with the functions that are called and the keys of what they are handed.
    """
    import pyarrow as pa

    known(batch, columns, step)
    if not columns and not batch.text_columns:
        found = ", ".join(batch.table.column_names)
        raise mlm.ProjectError(f"the data have no text column (columns: {found}): name what is compared", step)
    names = columns or batch.text_columns
    told = {name: as_transcript(batch.table.column(name)) for name in names}
    if not columns and _TOOLS in batch.table.column_names:
        told[_TOOLS] = _digests(batch.table.column(_TOOLS))
    return joined(pa.table(told), list(told), SEPARATOR), _is_blank(joined(batch.table, names, SEPARATOR))


def _digests(column: pa.ChunkedArray) -> pa.Array:
    """Return a word for each value: written out, long lists of tools would make all rows near that offer the same."""
    import pyarrow as pa

    values = ["" if value is None else as_json(value) for value in column.to_pylist()]
    return pa.array([value and blake2b(value.encode(), digest_size=8).hexdigest() for value in values], pa.string())


def _is_blank(texts: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Say which texts hold nothing to compare: a row of empty columns is no duplicate of another."""
    import pyarrow.compute as pc

    return pc.match_substring_regex(pc.fill_null(texts, ""), r"^[\s\x1f]*$").to_numpy()  # type: ignore[no-any-return]


def asked(batch: mlm.Batch) -> list[str]:
    """Return what each row asks a model: its prompt, else its text or its conversation."""
    name = next((name for name in ("prompt", "text", "messages") if name in batch.table.column_names), None)
    return batch.strings(name) if name else [""] * len(batch)


def asked_words(batch: mlm.Batch) -> list[str | None]:
    """Return the words of what each row asks, in one case: prompts that differ in punctuation only ask the same.

    None where there are no words.
    """
    return [_words(text) or None for text in asked(batch)]


def _words(text: str) -> str:
    text = text.casefold()
    # Of ASCII, this is what the pattern finds, in a quarter of the time.
    return " ".join(text.translate(_SPACED).split() if text.isascii() else _WORD.findall(text))


def known(batch: mlm.Batch, columns: Sequence[str], step: str) -> None:
    """Raise ProjectError where the data have no column of that name."""
    names = batch.table.column_names
    for name in columns:
        if name not in names:
            raise mlm.ProjectError(f"the data have no column '{name}' (columns: {', '.join(names)})", step)
