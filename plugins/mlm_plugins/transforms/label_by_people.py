"""Labels for rows, by people."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from attrs import define
from attrs.validators import in_, min_len

import mlm
from mlm_plugins.transforms.labels import labels_in
from mlm_plugins.transforms.reading import batches


@define(kw_only=True)
class LabelByPeople:
    """Waits until people have labelled the rows, and joins their labels by row id.

    Rows that have a label already, from `label`, `label-by-model` or `label-by-prompt`, keep it. The others are written
    to a file with an empty `label`; the message says where. Fill it in, and add its lines to the `file` of the project:
    beside `labels.jsonl` it is `labels.to_label.jsonl`. Rows that come later are asked for when they come.
    """

    labels: list[str] = mlm.setting(validator=min_len(2), help="labels that people choose from")
    file: Path | None = mlm.setting(None, help="JSON lines or CSV with row_id and label; more columns do no harm")
    format: str = mlm.setting("jsonl", validator=in_(("jsonl", "csv")), help="of the file to fill in: jsonl or csv")
    column: str = mlm.setting("label", help="name of the column")

    def __attrs_post_init__(self) -> None:
        if self.file and not self.file.exists():
            raise ValueError(
                f"there is no file {self.file}: make an empty one, and a run writes the rows to label beside it"
            )

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        given = dict(self._given(self.file)) if self.file else {}
        name = f"to_label.{self.format}"
        todo = self.file.with_suffix(f".{name}") if self.file else context.work / name
        asked = self._ask(data, given, todo)
        if asked:
            then = (
                f"add the lines to {self.file}" if self.file else 'keep it in the project and set file = "<its name>"'
            )
            raise mlm.Waiting(
                f"{asked} rows wait for people to label them ({', '.join(self.labels)}): fill in {todo}, then {then}"
            )
        with context.writer() as writer:
            for batch in batches(data):
                ids, before = batch.strings("row_id"), labels_in(batch, self.column)
                labels = [was or given[row_id] for row_id, was in zip(ids, before, strict=True)]
                writer.write(batch.with_column(self.column, labels))
        return writer.dataset

    def _ask(self, data: mlm.Dataset, given: dict[str, str], todo: Path) -> int:
        """Write the rows without a label into a file, and return how many there are; what was filled in there stays.

        What was filled in for rows that are not asked for now stays at the end. A file of no lines is removed.
        """
        filled = {str(row["row_id"]): row for row in self._rows(todo) if row["label"]} if todo.exists() else {}
        fresh, count = todo.with_suffix(".new"), 0
        with fresh.open("w", encoding="utf-8", newline="") as file:
            write: Callable[[dict[str, Any]], object] | None = None
            for batch in batches(data):
                columns = {"row_id": batch.strings("row_id"), "label": [""] * len(batch)}
                columns |= {name: batch.strings(name) for name in batch.text_columns}
                write = write or self._writer(file, list(columns))
                for row, was in zip(zip(*columns.values(), strict=True), labels_in(batch, self.column), strict=True):
                    if not was and row[0] not in given:
                        count += 1
                        line = dict(zip(columns, row, strict=True))
                        write(line | {"label": filled.pop(row[0], line)["label"]})
            left = [row for row_id, row in filled.items() if row_id not in given]
            if write:
                for line in left:
                    write(line)
        fresh.replace(todo)
        if not count and not left:
            todo.unlink()
        return count

    def _writer(self, file: TextIO, columns: list[str]) -> Callable[[dict[str, Any]], object]:
        if self.format == "jsonl":
            return lambda line: file.write(json.dumps(line, ensure_ascii=False) + "\n")
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        return table.writerow

    def _given(self, given: Path) -> Iterator[tuple[str, str]]:
        """Read what people gave, as (row id, label); lines without a label are still to do."""
        yield from ((str(row["row_id"]), row["label"]) for row in self._rows(given) if row["label"])

    def _rows(self, given: Path) -> Iterator[dict[str, Any]]:
        for number, row in self._lines(given):
            if not isinstance(row, dict) or not row.get("row_id"):
                raise mlm.DataError(f"{given}:{number} has no row_id; keep the lines of the file that was written")
            label = str(row.get("label") or "").strip()
            if label and label not in self.labels:
                wanted = ", ".join(self.labels)
                raise mlm.DataError(f"{given}:{number} has label {label!r}, expected one of {wanted}")
            yield row | {"label": label}

    def _lines(self, given: Path) -> Iterator[tuple[int, Any]]:
        try:
            with given.open(encoding="utf-8-sig", newline="") as file:
                if given.suffix == ".csv":
                    reader = csv.DictReader(file)
                    yield from ((reader.line_num, row) for row in reader)
                else:
                    yield from ((n, json.loads(line)) for n, line in enumerate(file, 1) if line.strip())
        except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
            kind = "CSV" if given.suffix == ".csv" else "JSON lines"
            raise mlm.DataError(f"{given} cannot be read as {kind} in UTF-8: {error}") from None
