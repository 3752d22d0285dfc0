"""An index of the word n-grams of a dataset's rows: which rows are most like a text.

Derived data, in `indexes/<digest>/` of the registry: the hashes of n-grams in ascending order, and for each the rows
that hold it. Losing it costs time only; it holds no text.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mlm.artifacts import Dataset
from mlm.batches import TEXT_COLUMNS

if TYPE_CHECKING:
    import numpy as np

LARGEST = 3
"""Words of the longest n-grams."""
_NO_WORD = re.compile(r"[^\w]+")
_FACTOR = 0x9E3779B97F4A7C15
"""Odd, so that multiplying by it loses nothing modulo 2**64 (the golden ratio, as in Fibonacci hashing)."""
_FILES = ("grams", "starts", "rows")


@frozen(eq=False)
class NgramIndex:
    """The n-grams of all rows of a dataset; rows are numbered through its splits, in alphabetical order.

    `grams` are the distinct hashes, uint64, ascending. Those rows that hold `grams[i]` are
    `rows[starts[i]:starts[i + 1]]`, uint32.
    """

    grams: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    splits: dict[str, int]
    """Number of rows of each split."""

    @property
    def num_rows(self) -> int:
        return sum(self.splits.values())

    def similarity(self, text: str) -> np.ndarray:
        """Return for each row the share of the text's n-grams that it holds, 0 to 1, rare ones counting more.

        The weight of an n-gram is log(1 + rows / rows that hold it) (Sparck Jones 1972).
        """
        import numpy as np

        asked = np.unique(_hashes([_words(text)])[0])
        found = np.searchsorted(self.grams, asked)
        known = found < len(self.grams)
        known[known] = self.grams[found[known]] == asked[known]
        totals = np.zeros(self.num_rows)
        unknown = np.log1p(self.num_rows) * (len(asked) - known.sum())
        whole = float(unknown)
        for i in found[known]:
            rows = self.rows[self.starts[i] : self.starts[i + 1]]
            weight = float(np.log1p(self.num_rows / len(rows)))
            totals[rows] += weight
            whole += weight
        return totals / whole if whole else totals

    def split_of(self, row: int) -> tuple[str, int]:
        """Return the split of a row and its number in it."""
        for split, count in self.splits.items():
            if row < count:
                return split, row
            row -= count
        raise IndexError(row)

    def within(self, splits: Sequence[str]) -> np.ndarray:
        """Return a mask of the rows in those splits; an empty name stands for all."""
        import numpy as np

        parts = [np.full(count, "" in splits or name in splits) for name, count in self.splits.items()]
        return np.concatenate(parts) if parts else np.zeros(0, bool)


def opened(dataset: Dataset, digest: str, indexes: Path) -> NgramIndex:
    """Open the index of a dataset, and build it first where there is none."""
    import numpy as np

    folder = indexes / digest
    if not (folder / "splits.json").exists():
        build(dataset, digest, indexes)
    # Mapped, not read: most of an index is the n-grams that nobody asks for.
    grams, starts, rows = (np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _FILES)
    return NgramIndex(grams, starts, rows, json.loads((folder / "splits.json").read_text(encoding="utf-8")))


def build(dataset: Dataset, digest: str, indexes: Path) -> None:
    """Write the index of a stored dataset; it is built beside its place and renamed, so that it is never half there."""
    import numpy as np

    if (indexes / digest).exists():
        return
    grams, rows, splits = _inverted(dataset)
    starts = np.flatnonzero(np.append(True, grams[1:] != grams[:-1])) if len(grams) else np.zeros(0, np.int64)
    distinct = grams[starts]
    indexes.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=indexes, prefix="building-"))
    try:
        arrays = (distinct, np.append(starts, len(grams)).astype(np.uint64), rows)
        for name, array in zip(_FILES, arrays, strict=True):
            np.save(building / f"{name}.npy", array, allow_pickle=False)
        (building / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
        os.rename(building, indexes / digest)
    except OSError:
        # Another process was first, or the disk is full: either way this one is not needed.
        if not (indexes / digest).exists():
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _inverted(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Return all (n-gram, row) pairs, each once, by n-gram and row, and the rows of each split."""
    import numpy as np

    grams, rows, splits, first = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint32)], {}, 0
    for split in dataset.splits:
        splits[split] = dataset.narrowed(split).num_rows
        for texts in _texts(dataset.narrowed(split)):
            hashes, owners = _hashes([_words(text) for text in texts])
            grams.append(hashes)
            rows.append((owners + first).astype(np.uint32))
            first += len(texts)
    everything, holders = np.concatenate(grams), np.concatenate(rows)
    # Stable, so that the rows of an n-gram stay in their order and an n-gram that a row repeats stands twice in turn.
    order = np.argsort(everything, kind="stable")
    everything, holders = everything[order], holders[order]
    repeated = np.zeros(len(everything), bool)
    repeated[1:] = (everything[1:] == everything[:-1]) & (holders[1:] == holders[:-1])
    return everything[~repeated], holders[~repeated], splits


def _texts(dataset: Dataset) -> Iterator[list[str]]:
    import pyarrow.parquet as pq

    for file in dataset.files:
        names = [name for name in pq.read_schema(file).names if name in TEXT_COLUMNS]
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(8192, columns=names):
                columns = [batch.column(name).to_pylist() for name in names]
                parts = zip(*columns, strict=True) if columns else ((),) * batch.num_rows
                yield ["\n".join(text or "" for text in part) for part in parts]


def _words(text: str) -> list[str]:
    return _NO_WORD.sub(" ", text.casefold()).split()


def _hashes(rows: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of the n-grams of rows of words, and the number of the row of each."""
    import numpy as np

    lengths = np.array([len(words) for words in rows], np.int64)
    codes: dict[str, int] = {}
    numbers = np.array([codes.setdefault(word, len(codes)) for words in rows for word in words], np.int64)
    owners = np.repeat(np.arange(len(rows)), lengths)
    if not len(numbers):
        return np.zeros(0, np.uint64), owners
    words = np.array([_hash(word) for word in codes], np.uint64)[numbers]
    grams, places = [words], [owners]
    gram: Any = words
    for size in range(2, LARGEST + 1):
        # The n-gram that begins at i is the shorter one there, mixed with the next word; none crosses two rows.
        gram = gram[:-1] * np.uint64(_FACTOR) + words[size - 1 :]
        inside = owners[: len(gram)] == owners[size - 1 :]
        grams.append(gram[inside] ^ np.uint64(size))
        places.append(owners[: len(gram)][inside])
    return np.concatenate(grams), np.concatenate(places)


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
