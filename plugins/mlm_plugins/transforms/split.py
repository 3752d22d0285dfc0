"""Rows for training and rows for testing."""

from __future__ import annotations

from hashlib import blake2b

from attrs import define
from attrs.validators import and_, ge, le

import mlm
from mlm_plugins.transforms.reading import batches, known


@define(kw_only=True)
class Split:
    """Splits rows into train and test, in the order of a seeded hash of their ids.

    With `stratify`, each value of that column gives its share to test. With `group`, rows of one value stay together,
    and the share is met as nearly as the sizes of the groups allow.
    """

    test: float = mlm.setting(0.2, validator=and_(ge(0), le(1)), help="share of rows for test")
    stratify: str = mlm.setting("", help="column whose every value gives its share")
    group: str = mlm.setting("", help="column whose equal values stay together")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        strata: dict[str, dict[str, list[int]]] = {}
        home: dict[str, str] = {}
        place = 0
        for batch in batches(data):
            known(batch, [name for name in (self.stratify, self.group) if name], context.step)
            for unit, stratum in zip(self._units(batch), self._strata(batch), strict=True):
                # A group belongs to the stratum of its first row.
                units = strata.setdefault(home.setdefault(unit, stratum), {})
                units.setdefault(unit, []).append(place)
                place += 1
        test = {row for units in strata.values() for row in self._chosen(units, context.seed)}
        return self._write(data, test, context)

    def _units(self, batch: mlm.Batch) -> list[str]:
        return list(map(str, batch.table.column(self.group or "row_id").to_pylist()))

    def _strata(self, batch: mlm.Batch) -> list[str]:
        return list(map(str, batch.table.column(self.stratify).to_pylist())) if self.stratify else [""] * len(batch)

    def _chosen(self, units: dict[str, list[int]], seed: int) -> list[int]:
        """Return the places of a stratum's rows for test."""
        wanted = round(self.test * sum(map(len, units.values())))
        chosen: list[int] = []
        for _, rows in sorted(units.items(), key=lambda item: _order(seed, item[0])):
            # A unit joins where it brings the number of rows nearer to the one that is wanted.
            if len(rows) < 2 * (wanted - len(chosen)):
                chosen += rows
        return chosen

    def _write(self, data: mlm.Dataset, test: set[int], context: mlm.Context) -> mlm.Dataset:
        place = 0
        with context.writer() as writer:
            for batch in batches(data):
                rows = range(place, place + len(batch))
                writer.write(batch.with_column("split", ["test" if row in test else "train" for row in rows]))
                place = rows.stop
        return writer.dataset


def _order(seed: int, unit: str) -> bytes:
    return blake2b(f"{seed}\n{unit}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
