"""The contract that a dataset must keep before it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field
from attrs.validators import deep_iterable, ge, min_len

import mlm
from mlm.conversations import as_text
from mlm_plugins.transforms.agreement import Agreement, Compared
from mlm_plugins.transforms.contract import Column, Watched, is_blank, places_of
from mlm_plugins.transforms.findings import MOST_LISTED, Findings
from mlm_plugins.transforms.reading import asked_words, batches
from mlm_plugins.transforms.repeats import Repeats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ASKED_TWICE = (
    "the same is asked in two splits, case and punctuation aside ('split' keeps such rows together: put it after what "
    "changes prompts)"
)


@define(kw_only=True)
class Validate:
    """Refuses data that break a contract: of schema, statistics, licences, labels and repeated rows.

    Without any setting, no text may be empty, no id come twice, and no prompt (else text, else conversation) be in two
    splits: prompts that differ in case, punctuation and spaces alone are the same, and `split` keeps their rows
    together. All rules are looked at before the step fails; the error counts the rows of each and names the first, a
    file lists them.
    """

    min_rows: int = mlm.setting(1, validator=ge(0), help="fewest rows")
    max_rows: int = mlm.setting(0, validator=ge(0), help="most rows; 0: no limit")
    columns: dict[str, Column] = mlm.setting(
        factory=dict,
        help="what must hold of columns: type, required, values, min, max, max_null_share, mean, quantiles, shares",
    )
    licenses: list[str] = mlm.setting(factory=list, help="licences that a row may have; without any, all")
    license_column: str = mlm.setting("license", help="column that names a row's licence")
    unique: list[str] = mlm.setting(factory=list, help="columns in which no value may come twice")
    apart: list[str] = mlm.setting(
        factory=list,
        validator=deep_iterable(min_len(1)),
        help="columns, such as a group or a cluster of near duplicates, whose equal values must be in one split",
    )
    agreement: list[Agreement] = mlm.setting(
        factory=list, help="columns of labels that must agree: `{ columns = [.., ..], min = .. }`, of Cohen's kappa"
    )

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        findings = Findings(context.step, context.work / "broken.jsonl")
        look = _Look(self, findings)
        for batch in batches(data):
            look.at(batch)
        look.at_all(data)
        context.log(data.num_rows, **look.measured())
        findings.settle()
        with context.writer() as writer:
            for batch in batches(data):
                writer.write(batch)
        return writer.dataset

    def watched(self) -> list[Watched]:
        columns = dict(self.columns)
        if self.licenses:
            columns[self.license_column] = Column(required=True, values=self.licenses)
        return [Watched(name, column) for name, column in columns.items()]


@define
class _Look:
    """One reading of the data, with what has to be remembered of it."""

    contract: Validate
    findings: Findings
    _rows: int = 0
    _watched: list[Watched] = field(init=False)
    _unique: dict[str, Repeats] = field(init=False)
    _apart: dict[str, Repeats] = field(init=False)
    _asked: Repeats = field(factory=Repeats)
    _compared: list[Compared] = field(init=False)
    _unjudged: set[str] = field(factory=set)
    """Columns that are not there, or of another type: they have no statistics."""

    def __attrs_post_init__(self) -> None:
        self._watched = self.contract.watched()
        self._unique = {name: Repeats() for name in dict.fromkeys(["row_id", *self.contract.unique])}
        self._apart = {name: Repeats() for name in self.contract.apart}
        self._compared = [Compared(agreement) for agreement in self.contract.agreement]

    def at(self, batch: mlm.Batch) -> None:
        """Judge the rows of a batch, and remember what only all rows can tell."""
        self._rows += len(batch)
        self._look_for_columns(batch)
        for name in batch.text_columns:
            if not self.contract.columns.get(name):
                empty = places_of(is_blank(as_text(batch.table.column(name))))
                self._note(batch, f"'{name}' is empty, and 'schema' removes such rows", empty)
        for watched in self._watched:
            if watched.name not in batch.table.column_names:
                continue
            if told := watched.wrong_type(batch.table.schema.field(watched.name).type):
                self._unjudged.add(watched.name)
                self.findings.whole(told)
                continue
            for rule, places, why in watched.judge(batch.table.column(watched.name)):
                self._note(batch, rule, places, why)
        for name, repeats in self._unique.items():
            repeats.add(_values(batch, name))
        for compared in self._compared:
            compared.add(batch, [_values(batch, name) for name in compared.agreement.columns])
        if "split" in batch.table.column_names:
            sides = batch.strings("split")
            self._asked.add(asked_words(batch), sides)
            for name, repeats in self._apart.items():
                repeats.add(_values(batch, name), sides)

    def _look_for_columns(self, batch: mlm.Batch) -> None:
        present = batch.table.column_names
        labels = (name for compared in self._compared for name in compared.agreement.columns)
        for name in dict.fromkeys([*(watched.name for watched in self._watched), *self._unique, *self._apart, *labels]):
            if name not in present:
                self._unjudged.add(name)
                rule = f"there is no column '{name}' (columns: {', '.join(present)})"
                self._note(batch, rule, list(range(len(batch))))

    def _note(self, batch: mlm.Batch, rule: str, places: Sequence[int], why: Sequence[str] = ()) -> None:
        if places:
            found = batch.table.select(["row_id", "source"]).take(places).to_pylist()
            rows = zip(found, why or [""] * len(found), strict=True)
            self.findings.rows(rule, ((row["row_id"], row["source"], told) for row, told in rows))

    def at_all(self, data: mlm.Dataset) -> None:
        """Judge what only all rows can tell."""
        contract, findings = self.contract, self.findings
        if self._rows < contract.min_rows:
            findings.whole(f"{self._rows} rows are left, expected at least {contract.min_rows}")
        if contract.max_rows and self._rows > contract.max_rows:
            findings.whole(f"{self._rows} rows are left, expected at most {contract.max_rows}")
        for watched in self._watched:
            for told in watched.statistics() if watched.name not in self._unjudged else ():
                findings.whole(told)
        for compared in self._compared:
            if self._unjudged.isdisjoint(compared.agreement.columns):
                compared.settle(findings)
        for name, repeats in self._unique.items():
            self._tell(f"'{name}' comes twice", *repeats.found(), data)
        for name, repeats in self._apart.items():
            self._tell(f"one value of '{name}' is in two splits", *repeats.found(across=True), data)
        self._tell(_ASKED_TWICE, *self._asked.found(across=True), data)

    def measured(self) -> dict[str, float]:
        """Return how well labels agree."""
        return {name: value for compared in self._compared for name, value in compared.found().items()}

    def _tell(self, rule: str, places: NDArray[np.int64], firsts: NDArray[np.int64], data: mlm.Dataset) -> None:
        if len(places):
            some, their_firsts = places[:MOST_LISTED].tolist(), firsts[:MOST_LISTED].tolist()
            rows = _rows_at(data, {*some, *their_firsts})
            pairs = ((rows[place], rows[first]) for place, first in zip(some, their_firsts, strict=True))
            self.findings.rows(rule, ((*row, f"as {row_id} at {at}") for row, (row_id, at) in pairs), len(places))


def _values(batch: mlm.Batch, name: str) -> list[str | None]:
    if name not in batch.table.column_names:
        return [None] * len(batch)
    return [None if value is None else str(value) for value in batch.table.column(name).to_pylist()]


def _rows_at(data: mlm.Dataset, places: set[int]) -> dict[int, tuple[str, str]]:
    """Read the ids and sources of the rows at some places."""
    import numpy as np

    found: dict[int, tuple[str, str]] = {}
    wanted, start = np.array(sorted(places)), 0
    for record in data.batches(columns=["row_id", "source"]):
        end = start + record.num_rows
        inside = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, end)]
        for place, row in zip(inside.tolist(), record.take(inside - start).to_pylist(), strict=True):
            found[place] = (row["row_id"], row["source"])
        start = end
    return found
