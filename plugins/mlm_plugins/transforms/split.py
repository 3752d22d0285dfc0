"""Rows for training and rows for testing."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define
from attrs.validators import and_, ge, le

import mlm
from mlm_plugins.detectors.drawing import draws
from mlm_plugins.detectors.units import Units
from mlm_plugins.transforms.reading import asked_words, batches, known


@define(kw_only=True)
class Split:
    """Splits rows into train and test, in the order of a seeded hash of their ids.

    Rows whose prompt (else text, else conversation) is the same but for case, punctuation and spaces stay together, as
    `validate` wants. With `stratify`, each value of that column gives its share to test. With `group`, rows of one
    value stay together, and with `together` those of one value of any of these columns too, so that neither a group
    nor a cluster of near duplicates is on both sides. The share is exact where no two rows belong together, and else
    met as nearly as the sizes allow. As it is a share of all rows, some go to the other side when rows come or go:
    models that are compared want one version of the data.
    """

    test: float = mlm.setting(0.2, validator=and_(ge(0), le(1)), help="share of rows for test")
    stratify: str = mlm.setting("", help="column whose every value gives its share")
    group: str = mlm.setting("", help="column whose equal values stay together")
    together: list[str] = mlm.setting(
        factory=list, help="further columns whose equal values stay together, such as clusters; a null is no value"
    )
    asked_together: bool = mlm.setting(True, help="rows that ask the same, but for case and punctuation, stay together")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        test = self._units(data, context).taken(self.test)
        start = 0
        with context.writer() as writer:
            for batch in batches(data):
                names = ["test" if row else "train" for row in test[start : start + len(batch)].tolist()]
                writer.write(batch.with_column("split", names))
                start += len(batch)
        return writer.dataset

    def _units(self, data: mlm.Dataset, context: mlm.Context) -> Units:
        import numpy as np

        units, names = Units(data.num_rows), dict[str, int]()
        links = [np.empty(units.count, np.uint64) for _ in range(len(self.together) + self.asked_together)]
        start = 0
        for batch in batches(data):
            known(batch, [name for name in (self.stratify, self.group, *self.together) if name], context.step)
            ids, rows = batch.strings("row_id"), slice(start, start + len(batch))
            units.order[rows] = draws(context.seed, _values(batch, self.group or "row_id", ids))
            if self.stratify:
                values = map(str, batch.table.column(self.stratify).to_pylist())
                units.stratum[rows] = [names.setdefault(value, len(names)) for value in values]
            columns = [_values(batch, name, ids) for name in self.together]
            columns += [_own(asked_words(batch), ids)] if self.asked_together else []
            for link, column in zip(links, columns, strict=True):
                link[rows] = draws(context.seed, column)
            start += len(batch)
        units.join(links)
        return units


def _values(batch: mlm.Batch, name: str, ids: list[str]) -> list[str]:
    """Return a column's values; a row without one stands for itself."""
    if name == "row_id":
        return ids
    return _own([None if value is None else str(value) for value in batch.table.column(name).to_pylist()], ids)


def _own(values: Sequence[str | None], ids: list[str]) -> list[str]:
    return [f"\0{row_id}" if value is None else value for value, row_id in zip(values, ids, strict=True)]
