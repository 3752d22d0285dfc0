"""The contract that a dataset must keep before it is stored."""

from __future__ import annotations

from attrs import define, field
from attrs.validators import ge

import mlm
from mlm_plugins.transforms.reading import asked, batches, known, words


@define(kw_only=True)
class Validate:
    """Refuses data with empty text, equal ids, a prompt in two splits, too few rows."""

    min_rows: int = mlm.setting(1, validator=ge(0), help="fewest rows")
    unique: list[str] = mlm.setting(factory=list, help="columns in which no value may come twice")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        contract = _Contract(context.step, self.unique)
        rows = 0
        with context.writer() as writer:
            for batch in batches(data):
                contract.hold(batch)
                rows += len(batch)
                writer.write(batch)
            if rows < self.min_rows:
                raise mlm.DataError(f"{context.step}: {rows} rows are left, expected at least {self.min_rows}")
        return writer.dataset


@define
class _Contract:
    """What was seen so far, and must not come again."""

    step: str
    unique: list[str]
    _sources: dict[tuple[str, str], str] = field(factory=dict)
    _splits: dict[str, tuple[str, str]] = field(factory=dict)

    def hold(self, batch: mlm.Batch) -> None:
        """Raise DataError at the first row that breaks the contract."""
        known(batch, self.unique, self.step)
        ids = batch.strings("row_id")
        for name in batch.text_columns:
            for row_id, text in zip(ids, batch.strings(name), strict=True):
                if not text.strip():
                    self._refuse(f"row {row_id} has no {name}; remove such rows with 'schema'")
        for name in ("row_id", *self.unique):
            self._keep_unique(name, batch)
        if "split" in batch.table.column_names:
            self._keep_apart(batch, ids)

    def _keep_unique(self, name: str, batch: mlm.Batch) -> None:
        for source, value in zip(batch.strings("source"), batch.table.column(name).to_pylist(), strict=True):
            if (name, str(value)) in self._sources:
                first = self._sources[name, str(value)]
                self._refuse(f"rows at {first} and {source} have the same {name}: {str(value)[:80]!r}")
            self._sources[name, str(value)] = source

    def _keep_apart(self, batch: mlm.Batch, ids: list[str]) -> None:
        for row_id, text, split in zip(ids, asked(batch), batch.strings("split"), strict=True):
            first, where = self._splits.setdefault(words(text), (row_id, split))
            if where != split:
                self._refuse(f"rows {first} ({where}) and {row_id} ({split}) ask the same: {text[:80]!r}")

    def _refuse(self, reason: str) -> None:
        raise mlm.DataError(f"{self.step}: {reason}")
