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
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mlm.artifacts import Dataset
from mlm.batches import TEXT_COLUMNS
from mlm.conversations import as_text
from mlm.row_groups import tables

if TYPE_CHECKING:
    import numpy as np

LARGEST = 3
"""Words of the longest n-grams."""
_NO_WORD = re.compile(r"[^\w]+")
_FACTOR = 0x9E3779B97F4A7C15
"""Odd, so that multiplying by it loses nothing modulo 2**64 (the golden ratio, as in Fibonacci hashing)."""
_FILES = {"grams": "<u8", "starts": "<u8", "rows": "<u4"}
_PAIR = [("gram", "<u8"), ("row", "<u4")]
_AT_ONCE_BYTES = 4_000_000
_BUCKET_BYTES = 8_000_000
"""Text whose n-grams are sorted at once; they take about six times as much."""
_MOST_BITS = 8
"""Each bucket is an open file; above 2 GB of text a bucket takes more memory."""


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
    folder = indexes / digest
    if not (folder / "splits.json").exists():
        build(dataset, digest, indexes)
    # Mapped, not read: most of an index is the n-grams that nobody asks for.
    grams, starts, rows = (_mapped(folder / name, kind) for name, kind in _FILES.items())
    return NgramIndex(grams, starts, rows, json.loads((folder / "splits.json").read_text(encoding="utf-8")))


def is_small(dataset: Dataset) -> bool:
    """Say whether a dataset is indexed when it is stored; a larger one is when it is first asked."""
    return _text_bytes(dataset) <= _AT_ONCE_BYTES


def build(dataset: Dataset, digest: str, indexes: Path) -> None:
    """Write the index of a stored dataset; it is built beside its place and renamed, so that it is never half there.

    Memory is bounded: n-grams are laid into files by the first bits of their hashes, and each file is sorted alone.
    """
    if (indexes / digest).exists():
        return
    indexes.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=indexes, prefix="building-"))
    try:
        bits = min(_MOST_BITS, (_text_bytes(dataset) // _BUCKET_BYTES).bit_length())
        splits = _laid_out(dataset, building, bits)
        _sorted(building, bits)
        (building / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
        os.rename(building, indexes / digest)
    except OSError:
        # Another process was first, or the disk is full: either way this one is not needed.
        if not (indexes / digest).exists():
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _mapped(file: Path, kind: str) -> np.ndarray:
    import numpy as np

    # An empty file cannot be mapped.
    return np.memmap(file, kind, "r") if file.stat().st_size else np.zeros(0, kind)


def _text_bytes(dataset: Dataset) -> int:
    """Return the size of the text columns, uncompressed, as the files say."""
    import pyarrow.parquet as pq

    total = 0
    for metadata in map(pq.read_metadata, dataset.files):
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            columns = map(group.column, range(group.num_columns))
            total += sum(
                c.total_uncompressed_size for c in columns if c.path_in_schema.partition(".")[0] in TEXT_COLUMNS
            )
    return total


def _laid_out(dataset: Dataset, folder: Path, bits: int) -> dict[str, int]:
    """Write the pairs of n-gram and row into a file for each value of the first bits; return the rows of each split."""
    import numpy as np

    splits, first = {}, 0
    with ExitStack() as opened_files:
        files = [opened_files.enter_context((folder / f"bucket-{n}").open("wb")) for n in range(1 << bits)]
        for split in dataset.splits:
            splits[split] = dataset.narrowed(split).num_rows
            for texts in _texts(dataset.narrowed(split)):
                hashes, owners = _hashes([_words(text) for text in texts])
                pairs = np.empty(len(hashes), _PAIR)
                pairs["gram"], pairs["row"] = hashes, owners + first
                numbers = (hashes >> np.uint64(64 - bits)).astype(np.int64) if bits else np.zeros(len(hashes), np.int64)
                order = np.argsort(numbers, kind="stable")
                ends = np.searchsorted(numbers[order], np.arange(1, 1 << bits))
                for file, part in zip(files, np.split(pairs[order], ends), strict=True):
                    part.tofile(file)
                first += len(texts)
    return splits


def _sorted(folder: Path, bits: int) -> None:
    """Join the buckets, each sorted and without repetitions, into the files of the index."""
    import numpy as np

    grams, starts, rows = ((folder / name).open("wb") for name in _FILES)
    total = 0
    with grams, starts, rows:
        for number in range(1 << bits):
            bucket = folder / f"bucket-{number}"
            pairs = np.fromfile(bucket, _PAIR)
            bucket.unlink()
            # Stable, so that the rows of an n-gram stay in their order and one that a row repeats stands twice in turn.
            pairs = pairs[np.argsort(pairs["gram"], kind="stable")]
            repeated = np.zeros(len(pairs), bool)
            repeated[1:] = pairs[1:] == pairs[:-1]
            pairs = pairs[~repeated]
            is_first = np.append(True, pairs["gram"][1:] != pairs["gram"][:-1])[: len(pairs)]
            pairs["gram"][is_first].tofile(grams)
            (np.flatnonzero(is_first).astype(np.uint64) + np.uint64(total)).tofile(starts)
            pairs["row"].astype(np.uint32).tofile(rows)
            total += len(pairs)
        np.array([total], np.uint64).tofile(starts)


def _texts(dataset: Dataset) -> Iterator[list[str]]:
    import pyarrow.parquet as pq

    for file in dataset.files:
        names = [name for name in pq.read_schema(file).names if name in TEXT_COLUMNS]
        for table in tables([file], names):
            columns = [as_text(table.column(name)).to_pylist() for name in names]
            parts = zip(*columns, strict=True) if columns else ((),) * table.num_rows
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
