"""The training rows most similar to a response, by an index and by reading every row."""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import log

import pyarrow as pa
from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

import mlm
from mlm.artifacts import Dataset
from mlm.ngrams import LARGEST, opened

WORDS_A_ROW, VOCABULARY = 20, 20_000


@benchmark(
    "cite",
    "the row most similar to a response of 20 words among 100,000, ms of CPU",
    peer="a pass over the rows' sets of n-grams, made beforehand",
    goal="<= 0.1",
)
def cite(size: Size) -> Iterator[Pair]:
    rows = _rows(size.of(100_000, 500))
    with mlm.DatasetWriter(size.folder / "rows") as writer:
        ids = [f"{n:016x}" for n in range(len(rows))]
        writer.write(mlm.Batch(pa.table({"row_id": ids, "source": ids, "text": rows})))
    index = opened(Dataset(size.folder / "rows"), "0" * 64, size.folder / "indexes")
    sets = [_grams(row) for row in rows]
    counts: dict[str, int] = {}
    for grams in sets:
        for gram in grams:
            counts[gram] = counts.get(gram, 0) + 1
    asked = " ".join(rows[len(rows) // 3].split()[:15]) + " and five words more"
    wanted = _grams(asked)
    weights = {gram: log(1 + len(rows) / counts[gram]) for gram in wanted if gram in counts}

    def ours() -> int:
        return int(index.similarity(asked).argmax())

    def peer() -> int:
        found = [sum(weights[gram] for gram in grams & weights.keys()) for grams in sets]
        return found.index(max(found))

    assert ours() == peer() == len(rows) // 3
    times = size.of(20, 2)
    yield lambda: 1000 * cpu(ours, times), lambda: 1000 * cpu(peer)


def _rows(count: int) -> list[str]:
    """Make rows whose words are as unevenly common as those of a language (Zipf)."""
    chance = random.Random(0)
    return [
        " ".join(f"word{int(chance.paretovariate(1.0)) % VOCABULARY}" for _ in range(WORDS_A_ROW)) for _ in range(count)
    ]


def _grams(text: str) -> set[str]:
    words = text.split()
    return {" ".join(words[i : i + n]) for n in range(1, LARGEST + 1) for i in range(len(words) - n + 1)}
