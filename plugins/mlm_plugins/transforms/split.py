"""Rows for training and rows for testing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field
from attrs.validators import and_, ge, le

import mlm
from mlm_plugins.detectors.drawing import draws
from mlm_plugins.transforms.reading import batches, known

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@define(kw_only=True)
class Split:
    """Splits rows into train and test, in the order of a seeded hash of their ids.

    With `stratify`, each value of that column gives its share to test. With `group`, rows of one value stay together,
    and with `together` those of one value of any of these columns too, so that neither a group nor a cluster of near
    duplicates is on both sides; the share is met as nearly as the sizes allow.
    """

    test: float = mlm.setting(0.2, validator=and_(ge(0), le(1)), help="share of rows for test")
    stratify: str = mlm.setting("", help="column whose every value gives its share")
    group: str = mlm.setting("", help="column whose equal values stay together")
    together: list[str] = mlm.setting(
        factory=list, help="further columns whose equal values stay together, such as clusters; a null is no value"
    )

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        rows = self._rows(data, context)
        test = rows.test(self.test)
        start = 0
        with context.writer() as writer:
            for batch in batches(data):
                names = ["test" if row else "train" for row in test[start : start + len(batch)].tolist()]
                writer.write(batch.with_column("split", names))
                start += len(batch)
        return writer.dataset

    def _rows(self, data: mlm.Dataset, context: mlm.Context) -> _Rows:
        import numpy as np

        rows = _Rows()
        for batch in batches(data):
            known(batch, [name for name in (self.stratify, self.group, *self.together) if name], context.step)
            ids = batch.strings("row_id")
            rows.strata.append(self._strata(batch, rows.names))
            rows.orders.append(draws(context.seed, _values(batch, self.group or "row_id", ids)))
            links = [draws(context.seed, _values(batch, name, ids)) for name in self.together]
            rows.links.append(np.array(links, np.uint64).reshape(len(links), len(batch)))
        return rows

    def _strata(self, batch: mlm.Batch, names: dict[str, int]) -> NDArray[np.int32]:
        import numpy as np

        if not self.stratify:
            names.setdefault("", 0)
            return np.zeros(len(batch), np.int32)
        values = map(str, batch.table.column(self.stratify).to_pylist())
        return np.array([names.setdefault(value, len(names)) for value in values], np.int32)


def _values(batch: mlm.Batch, name: str, ids: list[str]) -> list[str]:
    """Return a column's values; a row without one stands for itself."""
    if name == "row_id":
        return ids
    values = batch.table.column(name).to_pylist()
    return [f"\0{row_id}" if value is None else str(value) for value, row_id in zip(values, ids, strict=True)]


@define
class _Rows:
    """What is remembered of the rows: numbers, not their texts."""

    strata: list[NDArray[np.int32]] = field(factory=list)
    orders: list[NDArray[np.uint64]] = field(factory=list)
    links: list[NDArray[np.uint64]] = field(factory=list)
    """(columns, rows) each."""
    names: dict[str, int] = field(factory=dict)

    def test(self, share: float) -> NDArray[np.bool_]:
        """Return which rows are for test."""
        import numpy as np

        if not self.orders:
            return np.empty(0, bool)
        order, stratum = np.concatenate(self.orders), np.concatenate(self.strata)
        links = np.concatenate(self.links, axis=1)
        if len(links):
            order = _joined(order, [order, *links])
        # Units in the order of their numbers; a unit belongs to the stratum of its first row.
        _, firsts, unit, sizes = np.unique(order, return_index=True, return_inverse=True, return_counts=True)
        chosen = np.zeros(len(sizes), bool)
        # One sort for all strata: the units of each stand together, in their order.
        codes = stratum[firsts]
        by_stratum = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[by_stratum], np.arange(1, len(self.names)))
        for units in np.split(by_stratum, ends):
            chosen[units] = _taken(sizes[units], round(share * int(sizes[units].sum())))
        return chosen[unit]


def _joined(order: NDArray[np.uint64], links: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Give rows that are linked, by however many others, the lowest of their numbers."""
    import numpy as np

    columns = [np.unique(column, return_inverse=True)[1] for column in links]
    while True:
        before = order
        for column in columns:
            least = np.full(column.max() + 1, np.iinfo(np.uint64).max, np.uint64)
            np.minimum.at(least, column, order)
            order = least[column]
        if (order == before).all():
            return order


def _taken(sizes: NDArray[np.int64], wanted: int) -> NDArray[np.bool_]:
    """Return which units are taken, in order; one joins where it brings the number of rows nearer to what is wanted."""
    import numpy as np

    if (sizes == 1).all():
        return np.arange(len(sizes)) < wanted
    taken, have = np.zeros(len(sizes), bool), 0
    for place, size in enumerate(sizes.tolist()):
        if size < 2 * (wanted - have):
            taken[place] = True
            have += size
    return taken
