"""Labels for rows, by people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define
from attrs.validators import in_, min_len

import mlm
from mlm_plugins.transforms.labellers import BY_HELP, credited
from mlm_plugins.transforms.labels import labels_in
from mlm_plugins.transforms.reading import batches


@define(kw_only=True)
class LabelByPeople:
    """Waits until people have labelled the rows, and joins their labels by row id.

    Rows that have a label already, from `label`, `label-by-model` or `label-by-prompt`, keep it. The others are written
    to a file with an empty `label`; the message says where. Fill it in, keep it in the project and name it as `file`;
    rows that come later are asked for when they come.
    """

    labels: list[str] = mlm.setting(validator=min_len(2), help="labels that people choose from")
    file: Path | None = mlm.setting(None, help="JSON lines or CSV with row_id and label; more columns do no harm")
    format: str = mlm.setting("jsonl", validator=in_(("jsonl", "csv")), help="of the file to fill in: jsonl or csv")
    column: str = mlm.setting("label", help="name of the column")
    by_column: str = mlm.setting("", help=BY_HELP)

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        given = self._given(self.file) if self.file else {}
        todo = context.work / f"to_label.{self.format}"
        asked, strangers = self._ask(data, given, todo)
        if asked:
            then = (
                f"add the lines to {self.file}" if self.file else 'keep it in the project and set file = "<its name>"'
            )
            raise mlm.Waiting(
                f"{asked} rows wait for people to label them ({', '.join(self.labels)}): fill in {todo}, then {then}"
                + (f"; {len(strangers)} of its row ids are no row's, such as {min(strangers)}" if strangers else "")
            )
        with context.writer() as writer:
            for batch in batches(data):
                ids, before = batch.strings("row_id"), labels_in(batch, self.column)
                labels = [was or given[row_id] for row_id, was in zip(ids, before, strict=True)]
                made = batch.with_column(self.column, labels)
                writer.write(credited(made, before, self.column, self.by_column, context.step))
        return writer.dataset

    def _ask(self, data: mlm.Dataset, given: dict[str, str], todo: Path) -> tuple[int, set[str]]:
        """Write the rows without a label into a file; what was filled in there stays.

        Returns:
            How many there are, and the ids in `given` that no row has.
        """
        count, strangers = 0, set(given)
        filled = self._given(todo) if todo.exists() else {}
        fresh = todo.with_suffix(".new")
        with fresh.open("w", encoding="utf-8", newline="") as file:
            for batch in batches(data):
                texts = {name: batch.strings(name) for name in batch.text_columns}
                ids = batch.strings("row_id")
                strangers.difference_update(ids)
                columns = {"row_id": ids, "label": [filled.get(row_id, "") for row_id in ids], **texts}
                table = csv.DictWriter(file, list(columns))
                if self.format == "csv" and count == 0 and file.tell() == 0:
                    table.writeheader()
                for row, was in zip(zip(*columns.values(), strict=True), labels_in(batch, self.column), strict=True):
                    if was or row[0] in given:
                        continue
                    count += 1
                    line = dict(zip(columns, row, strict=True))
                    if self.format == "csv":
                        table.writerow(line)
                    else:
                        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        fresh.replace(todo)
        return count, strangers

    def _given(self, given: Path) -> dict[str, str]:
        """Read the label that people gave to each row id; lines without a label are still to do."""
        found = dict[str, tuple[str, int]]()
        for number, row in self._lines(given):
            if not isinstance(row, dict) or not row.get("row_id"):
                raise mlm.DataError(f"{given}:{number} has no row_id; keep the lines of the file that was written")
            label, row_id = str(row.get("label") or "").strip(), str(row["row_id"])
            if label and label not in self.labels:
                wanted = ", ".join(self.labels)
                raise mlm.DataError(f"{given}:{number} has label {label!r}, expected one of {wanted}")
            other, line = found.setdefault(row_id, (label, number)) if label else ("", 0)
            if other != label:
                told = f"gives row {row_id} the label {label!r}, and line {line} gives it {other!r}"
                raise mlm.DataError(f"{given}:{number} {told}; keep one of them")
        return {row_id: label for row_id, (label, _) in found.items()}

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
