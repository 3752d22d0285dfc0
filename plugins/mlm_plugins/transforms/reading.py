"""What whole-dataset transforms read: batches of a dataset, and the texts that rows are compared by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import mlm

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_NO_WORD = re.compile(r"[\W_]+")


def batches(data: mlm.Dataset) -> Iterator[mlm.Batch]:
    """Read a dataset batch by batch, in order."""
    import pyarrow as pa

    for record in data.batches():
        yield mlm.Batch(pa.table(record))


def compared(batch: mlm.Batch, columns: list[str], step: str) -> list[str]:
    """Return the columns that rows are compared by: these, or all text columns where none are named."""
    known(batch, columns, step)
    if not columns and not batch.text_columns:
        found = ", ".join(batch.table.column_names)
        raise mlm.ProjectError(f"the data have no text column (columns: {found}): name what is compared", step)
    return columns or batch.text_columns


def is_blank(texts: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Say which texts hold nothing to compare: a row of empty columns is no duplicate of another."""
    import pyarrow.compute as pc

    return pc.match_substring_regex(pc.fill_null(texts, ""), r"^[\s\x1f]*$").to_numpy()  # type: ignore[no-any-return]


def asked(batch: mlm.Batch) -> list[str]:
    """Return what each row asks a model: its prompt, else its text or its conversation."""
    name = next((name for name in ("prompt", "text", "messages") if name in batch.table.column_names), None)
    return batch.strings(name) if name else [""] * len(batch)


def words(text: str) -> str:
    """Return the words alone, in one case: two prompts that differ in punctuation only are the same."""
    return _NO_WORD.sub(" ", text.casefold()).strip()


def known(batch: mlm.Batch, columns: Sequence[str], step: str) -> None:
    """Raise ProjectError where the data have no column of that name."""
    names = batch.table.column_names
    for name in columns:
        if name not in names:
            raise mlm.ProjectError(f"the data have no column '{name}' (columns: {', '.join(names)})", step)
