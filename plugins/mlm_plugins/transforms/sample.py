"""Fewer rows, drawn by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define
from attrs.validators import and_, ge, gt, le

import mlm
from mlm_plugins.detectors.drawing import allotted, draws, occurrences, tempered
from mlm_plugins.transforms.reading import batches, known

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@define(kw_only=True)
class Sample:
    """Keeps a part of the rows, drawn by the seed and their ids: the same in whatever order they come.

    With `weight`, a row is drawn in proportion to that column, without replacement (Efraimidis and Spirakis 2006). With
    `by` and a temperature above 1, rare values of that column are drawn more often than common ones.
    """

    rows: int = mlm.setting(0, validator=ge(0), help="how many rows stay; 0: by `share`")
    share: float = mlm.setting(1.0, validator=and_(ge(0), le(1)), help="share of rows that stay")
    weight: str = mlm.setting("", help="column of numbers that chances are in proportion to; rows of 0 never stay")
    by: str = mlm.setting("", help="column whose every value gives its share")
    temperature: float = mlm.setting(
        1.0, validator=gt(0), help="shares go by count ** (1 / temperature): 1 as they are, higher more equal"
    )

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        chosen = self._chosen(data, context)
        start = 0
        with context.writer() as writer:
            for batch in batches(data):
                stays = chosen[start : start + len(batch)].tolist()
                start += len(batch)
                writer.write(batch.remove([None if stay else "not drawn" for stay in stays], "sample"))
        return writer.dataset

    def _chosen(self, data: mlm.Dataset, context: mlm.Context) -> NDArray[np.bool_]:
        """Return for each row whether it stays: 12 bytes a row are remembered."""
        import numpy as np

        keys, codes, names = [np.empty(0)], [np.empty(0, np.int32)], dict[str, int]()
        for batch in batches(data):
            known(batch, [name for name in (self.weight, self.by) if name], context.step)
            keys.append(self._keys(batch, context))
            values = map(str, batch.table.column(self.by).to_pylist()) if self.by else ["" for _ in range(len(batch))]
            codes.append(np.array([names.setdefault(value, len(names)) for value in values], np.int32))
        key, code = np.concatenate(keys), np.concatenate(codes)
        drawable = np.isfinite(key)
        counts = np.bincount(code[drawable], minlength=len(names)).tolist()
        # By name, so that the order of rows does not settle who gets a remainder.
        ordered = sorted(names)
        limits = [counts[names[name]] for name in ordered]
        total = self.rows or round(self.share * len(key))
        given = allotted(total, tempered(limits, self.temperature), limits)
        quota = np.zeros(len(names), np.int64)
        quota[[names[name] for name in ordered]] = given
        # One sort for all values: each value's rows stand together, the lowest keys first, what is not drawable last.
        order = np.lexsort((key, code))
        chosen = np.zeros(len(key), bool)
        chosen[order] = occurrences(code[order]) < quota[code[order]]
        return chosen

    def _keys(self, batch: mlm.Batch, context: mlm.Context) -> NDArray[np.float64]:
        """Return what rows are drawn by, the lowest first: -log(u) / weight; infinite where the weight is 0."""
        import numpy as np

        uniform = (draws(context.seed, batch.strings("row_id")).astype(float) + 1) / 2.0**64
        if not self.weight:
            return -np.log(uniform)
        weights = np.array([value or 0 for value in batch.table.column(self.weight).to_pylist()], float)
        if (weights < 0).any() or not np.isfinite(weights).all():
            raise mlm.DataError(f"'{self.weight}' holds a weight that is no number from 0 up  [{context.step}]")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(weights > 0, -np.log(uniform) / weights, np.inf)
