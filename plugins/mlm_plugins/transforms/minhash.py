"""Near duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field
from attrs.validators import and_, ge, gt, le

import mlm
from mlm_plugins.detectors.shingles import MinHasher, banding, folded, jaccard, shingles
from mlm_plugins.transforms.reading import batches, texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@define(kw_only=True)
class MinHash:
    """Removes rows that are nearly equal to an earlier row (MinHash, Broder 1997).

    Candidates come from banded MinHash signatures; each is verified by the exact Jaccard similarity of its character
    shingles. Letter case and white space do not count. Every removed row is near a row that stays.
    """

    threshold: float = mlm.setting(
        0.85, validator=and_(gt(0), le(1)), help="Jaccard similarity from which rows are near"
    )
    columns: list[str] = mlm.setting(factory=list, help="columns that are compared; without any, all text columns")
    shingle: int = mlm.setting(5, validator=ge(1), help="length of a shingle", unit="characters")
    permutations: int = mlm.setting(128, validator=ge(1), help="length of a signature")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        hasher = MinHasher(self.permutations, self.shingle, context.seed)
        kept = _Kept(self.threshold, self.shingle, *banding(self.threshold, self.permutations))
        with context.writer() as writer:
            for batch in batches(data):
                lines = [folded(text) for text in texts(batch, self.columns, context.step)]
                rows = zip(batch.strings("row_id"), lines, hasher.sign(lines), strict=True)
                writer.write(batch.remove([kept.near(*row) for row in rows], "near-duplicate"))
        return writer.dataset


@define
class _Kept:
    """The rows that stay, found again by the bands of their signatures."""

    threshold: float
    shingle: int
    bands: int
    rows: int
    _ids: list[str] = field(factory=list)
    _texts: list[str] = field(factory=list)
    _buckets: dict[tuple[int, bytes], list[int]] = field(factory=dict)

    def near(self, row_id: str, text: str, signature: NDArray[np.uint32]) -> str | None:
        """Name the earliest kept row that is near this one, with the similarity; keep the row where there is none."""
        used = signature[: self.bands * self.rows].reshape(self.bands, self.rows)
        keys = [(band, row.tobytes()) for band, row in enumerate(used)]
        own = None
        for place in sorted({place for key in keys for place in self._buckets.get(key, ())}):
            own = shingles(text, self.shingle) if own is None else own
            similarity = jaccard(own, shingles(self._texts[place], self.shingle))
            if similarity >= self.threshold:
                return f"near {self._ids[place]}, similarity {similarity:.3f}"
        self._keep(row_id, text, keys)
        return None

    def _keep(self, row_id: str, text: str, keys: list[tuple[int, bytes]]) -> None:
        for key in keys:
            self._buckets.setdefault(key, []).append(len(self._ids))
        self._ids.append(row_id)
        self._texts.append(text)
