"""Rows of a plugin author's own, in place of the kit's: one file for the tests and for `mlm plugins check --rows`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlm.errors import DataError
from mlm.json_lines import placed_rows
from mlm.testing.bench import table_of


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Read the rows of a file of JSON lines, for `rows` of a test class or of a Bench.

    Raises:
        DataError: The file cannot be read, has no rows, or a column has values of several types.
    """
    import pyarrow as pa

    rows = [row for _, row in placed_rows(file)]
    if not rows:
        raise DataError(f'{file} has no rows: expected JSON lines, such as {{"prompt": ..., "completion": ...}}')
    try:
        table_of(rows)
    except pa.ArrowException as error:
        raise DataError(f"{file}: a column has values of several types ({error}): give it one") from error
    return rows
