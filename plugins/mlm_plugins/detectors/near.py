"""Texts that are nearly equal to an earlier one, found by sketches in bands and verified by their shingles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAPPED_TEXTS = 2048
"""For how many texts the file of all texts stays mapped into memory."""
_READ_TEXTS = 65536
"""How many sketches are read at once."""


def banding(threshold: float, places: int, recall: float = 0.999) -> tuple[int, int]:
    """Choose (bands, rows a band) so that a pair at the threshold shares a band with probability `recall`.

    The probability is 1 - (1 - threshold**rows)**bands (Leskovec et al., Mining of Massive Datasets, 3.4.2). More rows
    mean fewer false candidates, so the most rows that reach the recall are taken.
    """
    for rows in range(places, 1, -1):
        bands = places // rows
        if 1 - (1 - threshold**rows) ** bands >= recall:
            return bands, rows
    return places, 1


@define(kw_only=True)
class NearTexts:
    """Takes texts in their order, keeps them and their sketches in files, and says which are near an earlier one.

    In memory is one batch, one band, and some numbers for each text that shares a band with another.
    """

    folder: Path
    """Where the files go; nothing else may be in it."""
    threshold: float
    """Jaccard similarity of the sets of shingles from which two texts are near."""
    words: bool
    """Whether a shingle is a run of words, or of characters."""
    size: int
    places: int
    seed: int = 0
    _count: int = field(default=0, init=False)

    def add(self, column: Any) -> None:
        """Take the next texts, an Arrow column of strings."""
        import numpy as np

        from mlm_plugins.detectors.bands import bands_of, halved
        from mlm_plugins.detectors.columns import utf8
        from mlm_plugins.detectors.folding import folding
        from mlm_plugins.detectors.kernels import sketch

        data, offsets = utf8(column)
        count = offsets.size - 1
        sketches = np.empty((count, self.places), np.uint32)
        sketch(data, offsets, folding(), self.words, self.size, self.seed, sketches)
        bands, rows = banding(self.threshold, self.places)
        keys = np.empty((bands, count), np.uint32)
        bands_of(sketches, rows, keys)
        self._append("texts", data[offsets[0] : offsets[-1]])
        bits = np.empty((count, self._bits), np.uint8)
        halved(sketches, bits)
        self._append("bits", bits)
        for band in range(bands):
            self._append(f"band-{band}", keys[band])
        self._append("lengths", np.diff(offsets).astype(np.uint32))
        self._count += count

    def _append(self, name: str, values: NDArray[Any]) -> None:
        with open(self.folder / name, "ab") as file:
            values.tofile(file)

    def find(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return for each text the earliest near one that stays, or -1 where it stays itself, and the similarity.

        A text that goes is near one that stays: what is near a text that went may stay.
        """
        import numpy as np

        texts = self._shared()
        found, similarity = np.full(self._count, -1, np.int32), np.zeros(self._count, np.float32)
        if texts.size:
            kept, similarity[texts] = self._verified(texts)
            found[texts] = np.where(kept >= 0, texts[kept], -1)
        return found, similarity

    def _shared(self) -> NDArray[np.int32]:
        """Return the texts that share a band with another; leave for each band the one before that does."""
        import numpy as np

        from mlm_plugins.detectors.bands import linked

        bands, _ = banding(self.threshold, self.places)
        shares = np.zeros(self._count, np.bool_)
        for band in range(bands) if self._count else ():
            links = linked(np.fromfile(self.folder / f"band-{band}", np.uint32))
            shares |= links >= 0
            shares[links[links >= 0]] = True
            links.tofile(self.folder / f"band-{band}")
        return np.flatnonzero(shares).astype(np.int32)

    def _links(self, texts: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int32]]:
        """Return where the links of each of these texts begin, and for each link its band and the text before."""
        import numpy as np

        bands, _ = banding(self.threshold, self.places)
        starts = np.zeros(texts.size + 1, np.int64)
        for band in range(bands):
            starts[1:] += np.fromfile(self.folder / f"band-{band}", np.int32)[texts] >= 0
        np.cumsum(starts, out=starts)
        of_band, others = np.empty(starts[-1], np.min_scalar_type(bands)), np.empty(starts[-1], np.int32)
        ends = starts[:-1].copy()
        for band in range(bands):
            before = np.fromfile(self.folder / f"band-{band}", np.int32)[texts]
            linked = np.flatnonzero(before >= 0)
            of_band[ends[linked]] = band
            others[ends[linked]] = np.searchsorted(texts, before[linked])
            ends[linked] += 1
        return starts, of_band, others

    def _verified(self, texts: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return for each of the linked texts the place of the one that it is near, or -1, and the similarity."""
        import numpy as np

        from mlm_plugins.detectors.folding import folding
        from mlm_plugins.detectors.kernels import near

        links, bits, offsets, lengths = self._links(texts), self._bits_of(texts), *self._places_of(texts)
        kept, similarity = np.full(texts.size, -1, np.int32), np.ones(texts.size, np.float32)
        asked = np.full(texts.size, -1, np.int32)
        for begin in range(0, texts.size, _MAPPED_TEXTS):
            # Mapped anew each time, so that pages that were read do not stay with this process.
            data = np.memmap(self.folder / "texts", np.uint8, "r") if lengths.any() else np.zeros(1, np.uint8)
            near(
                begin, min(begin + _MAPPED_TEXTS, texts.size), kept, similarity, asked, *links, np.asarray(data),
                offsets, lengths, bits, folding(), self.words, self.size, self.threshold, self._most(),
            )  # fmt: skip
        return kept, similarity

    def _places_of(self, texts: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Return where some texts begin, and their bytes."""
        import numpy as np

        lengths = np.fromfile(self.folder / "lengths", np.uint32)
        ends = np.cumsum(lengths, dtype=np.int64)
        return ends[texts] - lengths[texts], lengths[texts]

    def _bits_of(self, texts: NDArray[np.int32]) -> NDArray[np.uint8]:
        import numpy as np

        found = np.empty((texts.size, self._bits), np.uint8)
        with open(self.folder / "bits", "rb") as file:
            for start in range(0, self._count, _READ_TEXTS):
                part = np.fromfile(file, np.uint8, _READ_TEXTS * self._bits).reshape(-1, self._bits)
                begin, end = np.searchsorted(texts, (start, start + _READ_TEXTS))
                found[begin:end] = part[texts[begin:end] - start]
        return found

    @property
    def _bits(self) -> int:
        """Bytes in which four bits of each place of a sketch fit."""
        return (self.places + 1) // 2

    def _most(self) -> int:
        """Return at how many places two near texts differ at most, but for one pair in a million: six deviations.

        Places that differ have equal bits one time in 16.
        """
        chance = (1 - self.threshold) * 15 / 16
        spread = (chance * (1 - chance) / self.places) ** 0.5
        return int(self.places * min(1.0, chance + 6 * spread)) + 1
