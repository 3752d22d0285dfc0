"""Labels for rows, by people."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from attrs import define
from attrs.validators import ge, in_, min_len

import mlm
from mlm_plugins.detectors.drawing import draws
from mlm_plugins.transforms.labellers import BY_HELP, credited
from mlm_plugins.transforms.labels import labels_in
from mlm_plugins.transforms.reading import batches

_NO_LABEL = {"label": ""}
Drawn = Callable[[list[str]], list[bool]]


@define(kw_only=True)
class LabelByPeople:
    """Waits until people have labelled the rows, and joins their labels by row id.

    Rows that have a label already, from `label`, `label-by-model` or `label-by-prompt`, keep it. The others are written
    to a file with an empty `label`; the message says where. Fill it in, and add its lines to the `file` of the project:
    beside `labels.jsonl` it is `labels.to_label.jsonl`. Rows that come later are asked for when they come. With
    `sample`, people label so many rows, drawn by the seed, and the others stay without a label.
    """

    labels: list[str] = mlm.setting(validator=min_len(2), help="labels that people choose from")
    file: Path | None = mlm.setting(
        None, help="JSON lines or CSV with row_id and label, empty at first; more columns do no harm"
    )
    format: str = mlm.setting("jsonl", validator=in_(("jsonl", "csv")), help="of the file to fill in: jsonl or csv")
    column: str = mlm.setting("label", help="name of the column")
    sample: int = mlm.setting(0, validator=ge(0), help="how many of the rows without a label people label; 0: all")
    by_column: str = mlm.setting("", help=BY_HELP)

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        given = self._labelled(self.file) if self.file else {}
        name = f"to_label.{self.format}"
        todo = self.file.with_suffix(f".{name}") if self.file else context.work / name
        asked, strangers = self._ask(data, given, todo, self._drawn(data, context.seed))
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
                labels = [was or given.get(row_id, _NO_LABEL)["label"] for row_id, was in zip(ids, before, strict=True)]
                made = batch.with_column(self.column, labels)
                writer.write(credited(made, before, self.column, self.by_column, context.step))
        return writer.dataset

    def _drawn(self, data: mlm.Dataset, seed: int) -> Drawn:
        """Return what says by their ids which rows are in the sample of those without a label."""
        import numpy as np

        numbers = [np.empty(0, np.uint64)]
        for batch in batches(data) if self.sample else ():
            unlabelled = np.array([not was for was in labels_in(batch, self.column)], np.bool_)
            numbers.append(draws(seed, batch.strings("row_id"))[unlabelled])
        every = np.concatenate(numbers)
        if every.size <= self.sample or not self.sample:
            return lambda ids: [True] * len(ids)
        last = np.partition(every, self.sample - 1)[self.sample - 1]
        return lambda ids: (draws(seed, ids) <= last).tolist()

    def _ask(self, data: mlm.Dataset, given: Mapping[str, Any], todo: Path, drawn: Drawn) -> tuple[int, set[str]]:
        """Write the rows without a label that are drawn into a file; what was filled in there stays.

        What was filled in for rows that are not asked for now stays at the end. A file of no lines is removed.

        Returns:
            How many rows there are, and the ids in `given` that no row has.
        """
        filled = self._labelled(todo) if todo.exists() else {}
        fresh, count, strangers = todo.with_suffix(".new"), 0, set(given)
        with fresh.open("w", encoding="utf-8", newline="") as file:
            write: Callable[[dict[str, Any]], object] | None = None
            for batch in batches(data):
                ids = batch.strings("row_id")
                strangers.difference_update(ids)
                columns = {"row_id": ids, "label": [""] * len(batch)}
                columns |= {name: batch.strings(name) for name in batch.text_columns}
                write = write or self._writer(file, list(columns))
                rows, before = zip(*columns.values(), strict=True), labels_in(batch, self.column)
                for row, was, is_drawn in zip(rows, before, drawn(ids), strict=True):
                    if is_drawn and not was and row[0] not in given:
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
        return count, strangers

    def _writer(self, file: TextIO, columns: list[str]) -> Callable[[dict[str, Any]], object]:
        if self.format == "jsonl":
            return lambda line: file.write(json.dumps(line, ensure_ascii=False) + "\n")
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        return table.writerow

    def _labelled(self, given: Path) -> dict[str, dict[str, Any]]:
        """Read the lines that people gave a label, by row id; lines without a label are still to do."""
        found = dict[str, tuple[int, dict[str, Any]]]()
        for number, row in self._lines(given):
            if not isinstance(row, dict) or not row.get("row_id"):
                raise mlm.DataError(f"{given}:{number} has no row_id; keep the lines of the file that was written")
            label, row_id = str(row.get("label") or "").strip(), str(row["row_id"])
            if not label:
                continue
            if label not in self.labels:
                wanted = ", ".join(self.labels)
                raise mlm.DataError(f"{given}:{number} has label {label!r}, expected one of {wanted}")
            line, other = found.setdefault(row_id, (number, row | {"label": label}))
            if other["label"] != label:
                told = f"gives row {row_id} the label {label!r}, and line {line} gives it {other['label']!r}"
                raise mlm.DataError(f"{given}:{number} {told}; keep one of them")
        return {row_id: row for row_id, (_, row) in found.items()}

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
