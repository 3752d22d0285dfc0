"""Judging documents by Gopher's and FineWeb's rules, beside plain Python and beside datatrove's filters."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

from tests.benchmarks import peers
from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.texts import documents

import mlm

WHAT = "Gopher's and FineWeb's rules on 2 kB documents: MB a CPU second"
STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}


@benchmark("quality", WHAT, peer="the same rules in plain Python", goal=">= 10")
def quality(size: Size) -> Iterator[Pair]:
    texts = documents(size.of(4_000, 100))
    some = texts[: size.of(400, 20)]

    def plain() -> float:
        started = time.process_time()
        kept = sum(map(_is_good, some))
        seconds = time.process_time() - started
        assert kept
        return _megabytes(some) / seconds

    yield lambda: _rate(texts), plain


@benchmark("quality-datatrove", WHAT, peer="datatrove's filters of that name", goal=">= 10", rounds=3, needs_peers=True)
def quality_datatrove(size: Size) -> Iterator[Pair]:
    texts = documents(size.of(4_000, 100))
    file = size.folder / "texts.jsonl"
    file.write_text("".join(json.dumps(text) + "\n" for text in texts[: size.of(400, 20)]), encoding="utf-8")
    yield lambda: _rate(texts), lambda: peers.figure_of("datatrove_quality.py", file)


def _megabytes(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def _rate(texts: list[str]) -> float:
    """Run the transform over batches of 1024 rows; what is compiled is kept from run to run, so it is ready."""
    import pyarrow as pa

    from mlm_plugins.transforms.quality import Quality

    columns = {"row_id": list(map(str, range(len(texts)))), "source": ["bench"] * len(texts), "text": texts}
    batches = [mlm.Batch(pa.Table.from_batches([part])) for part in pa.table(columns).to_batches(max_chunksize=1024)]
    plugin = Quality(rules=["gopher", "fineweb"])
    plugin.mlm_map(mlm.Batch(batches[0].table.slice(0, 1)))
    started = time.process_time()
    kept = sum(len(plugin.mlm_map(batch)) for batch in batches)
    seconds = time.process_time() - started
    assert kept
    return _megabytes(texts) / seconds


def _is_good(text: str) -> bool:
    words, lines = text.split(), [line for line in text.split("\n") if line.strip()]
    chars = sum(map(len, words))
    good = [
        50 <= len(words) <= 100_000,
        3 <= chars / len(words) <= 10,
        text.count("#") / len(words) <= 0.1,
        (text.count("...") + text.count("\u2026")) / len(words) <= 0.1,
        sum(line.lstrip().startswith(("\u2022", "-", "*")) for line in lines) / len(lines) <= 0.9,
        sum(line.rstrip().endswith(("...", "\u2026")) for line in lines) / len(lines) <= 0.3,
        sum(any(map(str.isalpha, word)) for word in words) / len(words) >= 0.8,
        len(STOP_WORDS & set(words)) >= 2,
        1 - len(set(lines)) / len(lines) <= 0.3,
        sum(line.rstrip().endswith((".", "!", "?", '"', "'")) for line in lines) / len(lines) >= 0.12,
        sum(len(line) <= 30 for line in lines) / len(lines) <= 0.67,
        text.count("\n") / len(words) <= 0.3,
    ]
    for n, limit in zip((2, 3, 4), (0.2, 0.18, 0.16), strict=True):
        run, count = Counter(zip(*(words[i:] for i in range(n)), strict=False)).most_common(1)[0]
        good.append(count * sum(map(len, run)) / chars <= limit)
    for n, limit in zip(range(5, 11), (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), strict=True):
        runs = list(zip(*(words[i:] for i in range(n)), strict=False))
        counts = Counter(runs)
        covered = {i + k for i, run in enumerate(runs) if counts[run] > 1 for k in range(n)}
        good.append(sum(len(words[i]) for i in covered) / chars <= limit)
    return all(good)
