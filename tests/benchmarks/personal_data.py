"""Masking personal data, beside one `re.sub` after another without any check of what was found."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

from tests.benchmarks import peers
from tests.benchmarks.measuring import Measure, Pair, Size, benchmark
from tests.benchmarks.models import context
from tests.benchmarks.texts import sentences, with_personal_data

import mlm
from mlm.shards import BATCH_ROWS

PATTERNS = [
    (re.compile(r"[\w.%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"), "<EMAIL>"),
    (re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b"), "<IBAN>"),
    (re.compile(r"\b(?:[0-9][ -]?){12,18}[0-9]\b"), "<CARD>"),
    (re.compile(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"), "<IP>"),
    (re.compile(r"(?:\+|\b0)[0-9][0-9 ().-]{6,18}[0-9]\b"), "<PHONE>"),
]


WHAT = "masking 1 kB texts, a quarter with personal data: MB a CPU second"


@benchmark("pii", WHAT, peer="5 `re` patterns, one after another", goal=">= 12")
def personal_data(size: Size) -> Iterator[Pair]:
    texts = _texts(size)

    def peer() -> float:
        started = time.process_time()
        masked = [_sequential(text) for text in texts]
        seconds = time.process_time() - started
        assert 0.2 < sum("<" in text for text in masked) / len(texts) < 0.3
        return _megabytes(texts) / seconds

    yield _masking(size, texts), peer


@benchmark(
    "pii-datatrove", WHAT, peer="datatrove's PIIFormatter, mail and IP alone", goal=">= 12", rounds=3, needs_peers=True
)
def personal_data_datatrove(size: Size) -> Iterator[Pair]:
    texts = _texts(size)
    file = size.folder / "texts.json"
    file.write_text(json.dumps(texts), encoding="utf-8")
    yield _masking(size, texts), lambda: peers.figure_of("datatrove_pii.py", file)


def _texts(size: Size) -> list[str]:
    return with_personal_data(sentences(size.of(10_000, 100), 200), 0.25)


def _megabytes(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def _masking(size: Size, texts: list[str]) -> Measure:
    """Prepare the transform as a data step runs it, compiled, on batches of a shard."""
    import pyarrow as pa

    from mlm_plugins.transforms.pii import Pii

    columns = {"row_id": [str(n) for n in range(len(texts))], "source": ["bench"] * len(texts), "text": texts}
    batches = [mlm.Batch(pa.Table.from_batches([part])) for part in pa.table(columns).to_batches(BATCH_ROWS)]
    transform, where = Pii(), context(size.folder)

    def rate() -> float:
        started = time.process_time()
        masked = [transform.mlm_map(batch, where) for batch in batches]
        seconds = time.process_time() - started
        assert 0.2 < sum(len(change) for batch in masked for change in batch.changes) / len(texts) < 0.3
        return _megabytes(texts) / seconds

    rate()
    return rate


def _sequential(text: str) -> str:
    for pattern, name in PATTERNS:
        text = pattern.sub(name, text)
    return text
