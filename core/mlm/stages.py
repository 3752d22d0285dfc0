"""The stages of a data step: each is made once, and found again after an interruption."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import asdict, define, evolve, field

from mlm.artifacts import Dataset
from mlm.context import Context
from mlm.dataset_writer import REMOVED, ParquetFile, fitted, part_name
from mlm.errors import DataError
from mlm.row_groups import tables
from mlm.tallies import Tally, lengths
from mlm.writing import write_text

_FORMAT = 2
"""Raised when stages that an older version left cannot be gone on with."""
Made = Callable[[Context], list[Tally]]
"""Makes a stage's dataset in the folder of the context, and says what each transform did."""


@define
class Stages:
    """Keeps the stages of one data step in its work folder.

    `key` names what they depend on beside the step's fingerprint: stages that were made under another are made again.
    """

    context: Context
    key: str
    folders: list[Path] = field(factory=list)
    """What the stages made so far, in order; only the last has its rows still, all have what they removed."""
    tallies: list[Tally] = field(factory=list)
    _root: Path = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._root = _root(self.context.work)
        key = self._root / "key"
        wanted = f"{_FORMAT} {self.key}"
        if not key.exists() or key.read_text(encoding="utf-8") != wanted:
            self.clear()
            write_text(key, wanted)

    def run(self, name: str, make: Made) -> Dataset:
        """Make the next stage, unless it was made before."""
        place = self._root / f"{len(self.folders):02}-{name}"
        out, marker = place / "out", place / "done.json"
        if not marker.exists():
            shutil.rmtree(out, ignore_errors=True)
            try:
                out.mkdir(parents=True)
                (place / "work").mkdir(exist_ok=True)
                tallies = make(evolve(self.context, folder=out, work=place / "work", step=name))
                _not_empty(self.tallies + tallies, Dataset(out), place)
                tallies[-1].lengths = lengths(Dataset(out))
                write_text(marker, json.dumps([asdict(tally) for tally in tallies]))
            except BaseException:
                self._tidy(out)
                raise
        shutil.rmtree(place / "work", ignore_errors=True)
        if self.folders:
            shutil.rmtree(self.folders[-1] / "data", ignore_errors=True)
        self.folders.append(out)
        self.tallies += [Tally(**tally) for tally in json.loads(marker.read_text(encoding="utf-8"))]
        return Dataset(out)

    def _tidy(self, out: Path) -> None:
        """Leave its checkpoints of a stage that failed, and where all rows went; where nothing is, leave nothing."""
        shutil.rmtree(out, ignore_errors=True)
        if [file.name for file in self._root.rglob("*") if file.is_file()] == ["key"]:
            self.clear()

    def clear(self) -> None:
        """Remove what the stages wrote; the key goes first, so that what is left of a removal cut short is not used."""
        (self._root / "key").unlink(missing_ok=True)
        shutil.rmtree(self._root, ignore_errors=True)


def left_by_stages(work: Path) -> list[Dataset]:
    """Return what the stages of a data step that has not ended left in its work folder, in order.

    All have what they removed and changed; the last has its rows, unless it removed every one.
    """
    places = sorted(place for place in _root(work).glob("*") if place.is_dir())
    return [Dataset(place / "out" if (place / "done.json").exists() else place) for place in places]


def _root(work: Path) -> Path:
    return work / "stages"


def _not_empty(tallies: Sequence[Tally], made: Dataset, place: Path) -> None:
    """Raise DataError where no row is left, with a few of the last that went and why; `place` keeps all of them."""
    if tallies[-1].rows_out == 0:
        told = ", ".join(f"{tally.step} {tally.rows_in} -> {tally.rows_out}" for tally in tallies)
        last = [f"{row['source']}: {row['reason']} ({row['detail']})" for row in islice(made.removed(), 3)]
        if last:
            os.replace(made.path / REMOVED, place / REMOVED)
        raise DataError(f"no row is left: {told}" + (f"; such as {', '.join(last)}" if last else ""))


def gather(parts: Sequence[Dataset], folder: Path) -> Dataset:
    """Make one dataset of several, in their order; the files are linked, and the columns brought to one type."""
    for split in sorted({split for part in parts for split in part.splits}):
        files = [file for part in parts if split in part.splits for file in part.narrowed(split).files]
        schema = _common_schema(files)
        for number, file in enumerate(files):
            place = folder / "data" / part_name(split, number, len(files))
            place.parent.mkdir(parents=True, exist_ok=True)
            _place(file, place, schema)
    return Dataset(folder)


def joined_files(files: Sequence[Path], target: Path) -> None:
    """Write Parquet files of one schema one after another into a new one, in bounded memory."""
    import pyarrow.parquet as pq

    there = [file for file in files if file.exists()]
    joined = ParquetFile(target)
    for table in tables(there):
        joined.write(table)
    joined.close(pq.read_schema(there[0]) if there else None)


def _common_schema(files: Sequence[Path]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pa.unify_schemas([pq.read_schema(file) for file in files], promote_options="permissive")


def _place(file: Path, target: Path, schema: Any) -> None:
    import pyarrow.parquet as pq

    if pq.read_schema(file).equals(schema):
        os.link(file, target)
        return
    # A column that held nothing but null in this part has a type elsewhere.
    written = ParquetFile(target)
    for table in tables([file]):
        written.write(fitted(table, schema))
    written.close(schema)
