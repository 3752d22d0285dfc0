"""Reading JSON lines into a stored dataset with ids and a strict schema, beside `datasets` filling its cache."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.models import context
from tests.benchmarks.texts import sentences


@benchmark(
    "reading",
    "JSON lines of 1 kB texts to stored rows with ids: MB a CPU second",
    peer='`datasets.load_dataset("json")`, which gives no ids and lets keys that come twice pass',
    goal=">= 0.3",
    rounds=3,
)
def reading(size: Size) -> Iterator[Pair]:
    file = size.folder / "rows.jsonl"
    texts = sentences(size.of(1_000, 50), 200)
    with file.open("w", encoding="utf-8") as out:
        for number in range(size.of(40_000, 200)):
            row = {"text": texts[number % len(texts)], "id": number, "url": f"https://example.org/{number}"}
            out.write(json.dumps(row) + "\n")
    megabytes, numbers = file.stat().st_size / 1e6, itertools.count()

    def rate(read: Callable[[Path], int]) -> float:
        folder = size.folder / f"out{next(numbers)}"
        started = time.process_time()
        rows = read(folder)
        seconds = time.process_time() - started
        assert rows == size.of(40_000, 200)
        shutil.rmtree(folder)
        return megabytes / seconds

    def ours(folder: Path) -> int:
        from mlm_plugins.sources.jsonl import Jsonl

        return Jsonl(path=file).mlm_read(context(folder)).num_rows

    def peer(folder: Path) -> int:
        import datasets

        datasets.disable_progress_bars()
        return len(datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder)))

    rate(ours), rate(peer)  # What is imported once is not part of the rate.
    yield lambda: rate(ours), lambda: rate(peer)
