"""Near duplicates among texts, beside the usual loop: a signature updated shingle by shingle, and banded buckets."""

from __future__ import annotations

import hashlib
import itertools
import struct
import time
from collections.abc import Iterator

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.models import context
from tests.benchmarks.texts import near_copies, sentences

import mlm

PERMUTATIONS, BANDS = 128, 16
SHINGLE = 5
PRIME, MASK = (1 << 61) - 1, (1 << 32) - 1


@benchmark(
    "minhash",
    "near duplicates of 1 kB texts, 128 permutations: texts a CPU second",
    peer="MinHash shingle by shingle (SHA-1, NumPy), 16 bands",
    goal=">= 10",
    rounds=3,
)
def near_duplicates(size: Size) -> Iterator[Pair]:
    import pyarrow as pa

    texts = near_copies(sentences(size.of(400, 40), 200), 0.2)
    columns = {"row_id": [str(n) for n in range(len(texts))], "source": ["bench"] * len(texts), "text": texts}
    with mlm.DatasetWriter(size.folder / "rows") as writer:
        writer.write(mlm.Batch(pa.table(columns)))
    data, numbers = writer.dataset, itertools.count()

    def ours() -> float:
        from mlm_plugins.transforms.minhash import MinHash

        where = context(size.folder / f"out{next(numbers)}")
        started = time.process_time()
        kept = MinHash(permutations=PERMUTATIONS, shingle=SHINGLE).mlm_transform(data, where)
        seconds = time.process_time() - started
        assert kept.num_rows < len(texts)
        return len(texts) / seconds

    def peer() -> float:
        started = time.process_time()
        kept = _kept(texts)
        seconds = time.process_time() - started
        assert kept < len(texts)
        return len(texts) / seconds

    yield ours, peer


def _kept(texts: list[str]) -> int:
    """Count the texts that share no band with an earlier one."""
    import numpy as np

    chance = np.random.default_rng(0)
    factors, shifts = chance.integers(1, PRIME, (2, PERMUTATIONS), np.uint64)
    buckets: set[tuple[int, bytes]] = set()
    kept = 0
    for text in texts:
        folded = " ".join(text.casefold().split())
        signature = np.full(PERMUTATIONS, MASK, np.uint64)
        for shingle in {folded[i : i + SHINGLE] for i in range(len(folded) - SHINGLE + 1)}:
            (code,) = struct.unpack("<I", hashlib.sha1(shingle.encode()).digest()[:4])
            signature = np.minimum(signature, (factors * np.uint64(code) + shifts) % np.uint64(PRIME) & np.uint64(MASK))
        keys = [(band, rows.tobytes()) for band, rows in enumerate(signature.reshape(BANDS, -1))]
        kept += buckets.isdisjoint(keys)
        buckets.update(keys)
    return kept
