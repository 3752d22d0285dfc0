"""Typed handles on registry content: what hooks take and give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from mlm.errors import DataError, near_miss
from mlm.measures import Measure
from mlm.row import Row
from mlm.row_groups import record_batches, tables

if TYPE_CHECKING:
    import pyarrow as pa


@frozen
class Dataset:
    """A stored dataset: a folder of Parquet files, one or more a split, that `datasets.load_dataset` opens."""

    path: Path
    """The folder; it is read, and never written."""
    split: str | None = None
    """Narrows it to one split (`"facts/train"` in the project file); None means all of them."""
    ref: str = ""
    """Name and version in the registry, such as `facts@2`; empty where it is not stored yet."""
    digest: str = ""
    """Digest of its files."""
    more: tuple[Dataset, ...] = ()
    """Further datasets that are read after this one, where the project file gave a list."""

    @property
    def splits(self) -> list[str]:
        """Names of the splits, in alphabetical order."""
        return sorted(self._parts())

    def _parts(self) -> dict[str, list[Path]]:
        """Return the files of each split, in the order of their numbers."""
        found: dict[str, list[Path]] = {}
        for file in sorted((self.path / "data").glob("*-[0-9]*-of-*.parquet")):
            found.setdefault(file.name.rsplit("-", 3)[0], []).append(file)
        return found

    def narrowed(self, split: str) -> Dataset:
        """Return the same dataset narrowed to one split; DataError names the near miss."""
        if split not in self.splits:
            known = ", ".join(self.splits)
            raise DataError(
                f"{self.ref or self.path.name} has no split '{split}' (splits: {known}){near_miss(split, self.splits)}"
            )
        return evolve(self, split=split)

    @property
    def files(self) -> list[Path]:
        """Parquet files in reading order."""
        parts = self._parts()
        names = [self.split] if self.split else sorted(parts)
        own = [file for name in names for file in parts.get(name, ())]
        return own + [file for other in self.more for file in other.files]

    @property
    def num_rows(self) -> int:
        """Rows of the split, or of all splits, with those of `more`."""
        import pyarrow.parquet as pq

        return sum(pq.read_metadata(file).num_rows for file in self.files)

    def batches(self, size: int = 1024, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read record batches of at most `size` rows, in order, in bounded memory."""
        for file in self.files:
            yield from record_batches(file, size, columns)

    def rows(self, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """Read rows as dictionaries; one that is asked for a column that it has not raises DataError."""
        for batch in self.batches(columns=columns):
            yield from map(Row, batch.to_pylist())

    def removed(self) -> Iterator[dict[str, Any]]:
        """Read what the step removed: row_id, source, step, reason, detail, text, subject."""
        yield from _rows(self.path / "removed.parquet")

    def changed(self) -> Iterator[dict[str, Any]]:
        """Read which rows the step changed: row_id, step, reason, detail."""
        yield from _rows(self.path / "changed.parquet")


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    for table in tables([file]):
        yield from table.to_pylist()


@frozen
class Model:
    """A stored model: a Hugging Face folder (safetensors), an exported folder, or a tokenizer."""

    path: Path
    """The folder; it is read, and never written."""
    library: str = "transformers"
    """The server plugin that loads it unless the project names another: `transformers`, `onnxruntime`."""
    ref: str = ""
    """Name and version in the registry, such as `chat@2`; empty where it is not stored yet."""
    digest: str = ""
    """Digest of its files."""
    metadata: Mapping[str, Any] = field(factory=dict)
    """What is kept with it in the registry and shown on its card, as JSON types.

    A `note` in it is a line for people, which `mlm run` shows too.
    """


@frozen
class Example:
    """One judged item of an evaluation, kept in the report so that a number can be followed to its rows."""

    row_id: str
    """`row_id` of the row that it was made of; behind a `#` may stand which of several items."""
    prompt: str
    """What the model was asked."""
    answer: str
    """What it answered."""
    expected: str = ""
    """What it should have answered, where the data says it."""
    score: float | None = None
    """From 0 to 1, good or bad by the direction of the report's first measure; None where it could not be judged."""
    label: str = ""
    """A group that it belongs to, such as a category of the data or the verdict in a word."""


@frozen
class Report:
    """What an evaluator found: measures, and the judged items behind them."""

    measures: tuple[Measure, ...]
    """Of metrics that the evaluator's `metrics` name, and of no others."""
    examples: tuple[Example, ...] = ()
    """`mlm show <step> --examples 5` lists the worst."""
    details: Mapping[str, Any] = field(factory=dict)
    """Further facts, as JSON types; `backend` says what computed, and becomes part of a score's key."""
    path: Path | None = None
    """Set by mlm when it is stored: the folder with `report.json` and `report.html`."""
    ref: str = ""
    """Set by mlm when it is stored, such as `quality@1`."""
    digest: str = ""
    """Set by mlm when it is stored."""


@frozen
class Card:
    """A model card or dataset card: Markdown with the Hub's YAML head."""

    ref: str
    """The model or dataset that it is of."""
    markdown: str
    """The whole text, with its head."""
