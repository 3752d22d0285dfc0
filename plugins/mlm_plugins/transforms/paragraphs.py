"""Repeated paragraphs and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen
from attrs.validators import ge, in_, min_len

import mlm
from mlm_plugins.detectors.columns import utf8
from mlm_plugins.detectors.folding import folding
from mlm_plugins.transforms.reading import batches, known

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ENDS = {"paragraphs": (r"\n[ \t\r]*\n", "\n\n"), "lines": (r"\n", "\n")}
_REASON = "repeated-paragraphs"


@define(kw_only=True)
class Paragraphs:
    """Removes paragraphs (or lines) that were seen before, in the same row or in an earlier one.

    The first stays. Letter case and white space do not count. A row of which nothing is left is removed. Paragraphs are
    known by digests of 64 bits: 16 to 32 bytes of memory for each different one.
    """

    unit: str = mlm.setting(
        "paragraphs", validator=in_(tuple(_ENDS)), help="what is compared: paragraphs (an empty line ends one) or lines"
    )
    columns: list[str] = mlm.setting(
        factory=lambda: ["text"], validator=min_len(1), help="columns whose paragraphs are compared"
    )
    shortest: int = mlm.setting(
        20, validator=ge(1), help="shorter ones stay: headings, brackets, `Yes.`", unit="characters"
    )

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        seen = _Seen()
        with context.writer() as writer:
            for batch in batches(data):
                known(batch, self.columns, context.step)
                writer.write(self._without_repeated(batch, seen))
        return writer.dataset

    def _without_repeated(self, batch: mlm.Batch, seen: _Seen) -> mlm.Batch:
        import numpy as np
        import pyarrow as pa

        left = {name: _Left.of(batch.table.column(name), self.unit, self.shortest, seen) for name in self.columns}
        changed, blank = (
            np.array(rows) for rows in zip(*((c.gone > 0, c.blank()) for c in left.values()), strict=True)
        )
        emptied = np.asarray(changed.any(axis=0) & blank.all(axis=0))
        told = [f"all its {self.unit} were seen before" if gone else None for gone in emptied]
        batch = batch.remove(told, _REASON)
        for name, column in left.items():
            rows = [
                f"{gone} of {every} {self.unit} of {name} seen before"
                for gone, every in zip(column.gone[~emptied], column.every[~emptied], strict=True)
            ]
            batch = batch.replace_text(name, column.texts.filter(pa.array(~emptied)), _REASON, rows)
        return batch


@frozen(eq=False)
class _Left:
    """A column without what was seen before; how many paragraphs went from each row, and how many it had."""

    texts: Any
    gone: NDArray[np.int64]
    every: NDArray[np.int64]

    @classmethod
    def of(cls, column: Any, unit: str, shortest: int, seen: _Seen) -> _Left:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        pattern, end = _ENDS[unit]
        texts = column.cast(pa.string()).combine_chunks()
        parts = pc.split_pattern_regex(pc.fill_null(texts, ""), pattern)
        pieces, owners = pc.list_flatten(parts), pc.list_parent_indices(parts).to_numpy()
        again = seen.again(pieces, shortest)
        gone, every = np.bincount(owners[again], minlength=len(texts)), np.bincount(owners, minlength=len(texts))
        offsets = pa.array(np.append(0, np.cumsum(every - gone)), pa.int32())
        kept = pc.binary_join(pa.ListArray.from_arrays(offsets, pieces.filter(pa.array(~again))), end)
        return cls(pc.if_else(pa.array(gone > 0), kept, texts), gone, every)

    def blank(self) -> NDArray[np.bool_]:
        import pyarrow.compute as pc

        texts = pc.fill_null(self.texts, "")
        found: NDArray[np.bool_] = pc.equal(pc.utf8_trim_whitespace(texts), "").to_numpy(zero_copy_only=False)
        return found


@define
class _Seen:
    """The digests of what was seen, in an open hash table that grows."""

    _table: NDArray[np.uint64] | None = None
    _count: int = field(default=0, init=False)

    def again(self, pieces: Any, shortest: int) -> NDArray[np.bool_]:
        """Say of each piece whether it was seen before; those with fewer characters never were."""
        import numpy as np
        import pyarrow.compute as pc

        from mlm_plugins.detectors.kernels import digests, entered

        texts, offsets = utf8(pieces)
        both = np.empty((len(pieces), 2), np.uint64)
        digests(texts, offsets, folding(), both)
        keys = both[:, 0].copy()
        keys[pc.utf8_length(pc.utf8_trim_whitespace(pieces)).to_numpy() < shortest] = 0
        table = self._table if self._table is not None else np.zeros(1 << 12, np.uint64)
        while table.size < 2 * (self._count + keys.size):
            larger = np.zeros(2 * table.size, np.uint64)
            entered(table, larger)
            table = larger
        found: NDArray[np.bool_] = entered(keys, table)
        self._table, self._count = table, self._count + int(np.count_nonzero(keys[~found]))
        return found
