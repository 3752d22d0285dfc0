"""What whole-dataset transforms read: batches of a dataset, and the texts that rows are compared by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import mlm

_NO_WORD = re.compile(r"[\W_]+")


def batches(data: mlm.Dataset) -> Iterator[mlm.Batch]:
    """Read a dataset batch by batch, in order."""
    import pyarrow as pa

    for record in data.batches():
        yield mlm.Batch(pa.table(record))


def texts(batch: mlm.Batch, columns: Sequence[str], step: str) -> list[str]:
    """Return each row's text in these columns, one line a column; in all text columns where none are named."""
    known(batch, columns, step)
    parts = [batch.strings(name) for name in columns or batch.text_columns]
    return ["\n".join(row) for row in zip(*parts, strict=True)] if parts else [""] * len(batch)


def asked(batch: mlm.Batch) -> list[str]:
    """Return what each row asks a model: its prompt, or its text where it has none."""
    name = next((name for name in ("prompt", "text") if name in batch.table.column_names), None)
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
