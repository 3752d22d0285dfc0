"""Rows of a file of JSON lines, each with the place where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlm.errors import DataError


def placed_rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file and line of each row, and the row; empty lines hold none.

    Raises:
        DataError: The file cannot be read, or a line is no JSON object.
    """
    try:
        # Only \n ends a line of JSON lines; U+2028 and its kin may stand inside a string.
        with file.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    place = f"{file}:{number}"
                    yield place, _row(line, place)
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 ({error.reason}): save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error


def _row(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{place} is no JSON: {error.msg}") from error
    if not isinstance(row, dict):
        raise DataError(f"{place} is no row: expected a JSON object, with a key a column")
    return row
