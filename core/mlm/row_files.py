"""Files outside the registry that hold rows under their ids, as those in which people label: an erasure names them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import frozen

from mlm.batches import ROW_ID
from mlm.ledger import Entry, Ledger
from mlm.workspace import Workspace

_SUFFIXES = (".jsonl", ".csv")
_AT_ONCE = 10_000
"""Rows in memory."""


@frozen
class Lines:
    """Lines of a file that hold rows which an erasure is about."""

    file: Path
    numbers: tuple[int, ...]
    row_ids: tuple[str, ...]


def lines_about(workspace: Workspace, ledger: Ledger, entry: Entry) -> list[Lines]:
    """Find rows of an erasure in the files that steps name, and in those beside them (`x.to_label.jsonl` of `x.jsonl`).

    They are known by their `row_id`, or by the columns that say whom a row is about. A file whose first row has no
    `row_id` is none of these.
    """
    return [lines for file in _files(workspace) if (lines := _lines(file, ledger, entry)).numbers]


def _files(workspace: Workspace) -> list[Path]:
    bindings = [one for step in workspace.steps for one in (step.binding, *(binding for _, binding, _ in step.chain))]
    named = {value for one in bindings for value in one.settings.values() if isinstance(value, Path)}
    found = {
        file
        for path in named
        if path.suffix in _SUFFIXES and path.is_file()
        for file in path.parent.iterdir()
        if file.suffix in _SUFFIXES and file.name.startswith(f"{path.stem}.") and file.is_file()
    }
    return sorted(found)


def _lines(file: Path, ledger: Ledger, entry: Entry) -> Lines:
    numbers, row_ids, rows = list[int](), list[str](), _rows(file)
    if ROW_ID not in next(_rows(file), (0, dict[str, Any]()))[1]:
        return Lines(file, (), ())
    while some := list(islice(rows, _AT_ONCE)):
        ids = [str(row.get(ROW_ID) or "") for _, row in some]
        hits = [place for place, hit in enumerate(_about(ids, some, ledger, entry)) if hit]
        numbers += [some[place][0] for place in hits]
        row_ids += [ids[place] for place in hits]
    return Lines(file, tuple(numbers), tuple(row_ids))


def _about(ids: list[str], rows: list[tuple[int, dict[str, Any]]], ledger: Ledger, entry: Entry) -> list[bool]:
    import pyarrow as pa

    # A row in `extra` is asked whom it is about as its columns would be.
    said = pa.array([json.dumps(row) for _, row in rows], pa.string())
    return ledger.matches(pa.table({ROW_ID: pa.array(ids, pa.string()), "extra": said}), [entry])


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read (line, row); a line that cannot be read is none."""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines, suppress(csv.Error):
        if file.suffix == ".csv":
            table = csv.DictReader(lines)
            yield from ((table.line_num, row) for row in table)
            return
        for number, line in enumerate(lines, 1):
            with suppress(ValueError, RecursionError):
                if isinstance(row := json.loads(line), dict):
                    yield number, row
