"""Near duplicates among documents beside rensa and datasketch: how fast, and how many of the planted ones are found.

All look at runs of five words, with 128 places and a threshold of .5. The peers get 32 bands of 4, with which a pair of
similarity .6 is found in 99 of 100 cases; ours chooses its own bands. Time goes from texts in memory to pairs.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import peers
from tests.benchmarks.measuring import Measure, Pair, Size, benchmark, cpu_of
from tests.benchmarks.models import context
from tests.benchmarks.near_texts import Corpus, corpus, quality

import mlm

SHINGLE, PLACES, THRESHOLD = 5, 128, 0.5
DOCUMENTS, FEW = 100_000, 5_000


@cache
def documents(count: int) -> Corpus:
    return corpus(count)


def _beside(key: str, system: str, goal: str, whole: int) -> None:
    @benchmark(
        key,
        f"near duplicates of {whole:,} documents of 2 kB, from texts to pairs: documents a CPU second",
        peer=system,
        goal=goal,
        rounds=2,
        needs_peers=True,
    )
    def beside(size: Size) -> Iterator[Pair]:
        made = documents(size.of(whole, 200))
        ours(documents(200))
        yield lambda: ours(made)[0], lambda: peer(system, made)[0]


_beside("near-rensa", "rensa", ">= 4", DOCUMENTS)
_beside("near-datasketch", "datasketch", ">= 30", FEW)


@benchmark(
    "near-stored",
    "minhash as a transform, from stored rows to stored rows: documents a CPU second",
    peer="rensa, from texts to pairs",
    goal=">= 1.5",
    rounds=2,
    needs_peers=True,
)
def stored(size: Size) -> Iterator[Pair]:
    import pyarrow as pa

    from mlm_plugins.transforms.minhash import MinHash

    made, numbers = documents(size.of(20_000, 200)), itertools.count()
    ids = [str(number) for number in range(len(made.texts))]
    with mlm.DatasetWriter(size.folder / "rows") as writer:
        rows = pa.table({"row_id": ids, "source": ids, "text": made.texts})
        for record in rows.to_batches(1024):
            writer.write(mlm.Batch(pa.table(record)))

    def transform() -> float:
        where = context(size.folder / f"out{next(numbers)}")
        plugin = MinHash(threshold=THRESHOLD, shingle=SHINGLE, unit="words", permutations=PLACES)
        started = time.process_time()
        plugin.mlm_transform(writer.dataset, where)
        return len(ids) / (time.process_time() - started)

    yield transform, lambda: peer("rensa", made)[0]


def _quality(key: str, what: str, figure: str, goal: str) -> None:
    @benchmark(key, f"{what}, of 1", peer="rensa", goal=goal, rounds=1, needs_peers=True)
    def measured(size: Size) -> Iterator[Pair]:
        count = size.of(FEW, 200)
        yield _figure_of("ours", count, figure), _figure_of("rensa", count, figure)


def _figure_of(system: str, count: int, figure: str) -> Measure:
    return lambda: _qualities(system, count)[figure]


@cache
def _qualities(system: str, count: int) -> dict[str, float]:
    made = documents(count)
    return quality(made, (ours(made) if system == "ours" else peer(system, made))[1])


for _share in ("1", "2", "5"):
    _quality(f"near-recall-{_share}", f"planted copies with {_share} % of the words changed, found",
             f"recall {_share} %", ">= 1")  # fmt: skip
_quality("near-precision", "pairs found that have a similarity of .5 or more", "precision", ">= 0.98")


@benchmark(
    "near-first",
    "the first near duplicates of a new installation, loops compiled, s of CPU of the process",
    peer="the same process afterwards",
    goal="<= 30",
    rounds=2,
)
def first(size: Size) -> Iterator[Pair]:
    numbers = itertools.count()

    def process(cached: Path) -> float:
        code = "from tests.benchmarks.near_duplicates import Corpus, ours; ours(Corpus(['one two'] * 2, {}))"
        return cpu_of(["env", f"NUMBA_CACHE_DIR={cached}", sys.executable, "-c", code])

    process(size.folder / "warm")
    yield lambda: process(size.folder / f"cold{next(numbers)}"), lambda: process(size.folder / "warm")


def ours(made: Corpus) -> tuple[float, list[tuple[int, int]]]:
    """Return documents a CPU second, and the pairs (kept, removed)."""
    import numpy as np
    import pyarrow as pa

    from mlm_plugins.detectors.near import NearTexts

    column = pa.array(made.texts)
    with TemporaryDirectory() as folder:
        started = time.process_time()
        texts = NearTexts(folder=Path(folder), threshold=THRESHOLD, words=True, size=SHINGLE, places=PLACES)
        for start in range(0, len(column), 1024):
            texts.add(column.slice(start, 1024))
        kept, _ = texts.find()
        seconds = time.process_time() - started
    return len(column) / seconds, [(int(kept[i]), int(i)) for i in np.flatnonzero(kept >= 0)]


def peer(system: str, made: Corpus) -> tuple[float, list[tuple[int, int]]]:
    """Return documents a CPU second, and the pairs."""
    with TemporaryDirectory() as folder:
        texts, pairs = Path(folder) / "texts", Path(folder) / "pairs"
        made.save(texts)
        rate = peers.figure_of("near_texts.py", system, texts, len(made.texts), pairs)
        return rate, [(a, b) for a, b in json.loads(pairs.read_text())]
