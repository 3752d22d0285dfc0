"""Masking personal data, beside one `re.sub` after another without any check of what was found."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.texts import sentences, with_personal_data

PATTERNS = [
    (re.compile(r"[\w.%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"), "<EMAIL>"),
    (re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b"), "<IBAN>"),
    (re.compile(r"\b(?:[0-9][ -]?){12,18}[0-9]\b"), "<CARD>"),
    (re.compile(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"), "<IP>"),
    (re.compile(r"(?:\+|\b0)[0-9][0-9 ().-]{6,18}[0-9]\b"), "<PHONE>"),
]


@benchmark(
    "pii",
    "masking 1 kB texts, a quarter with personal data: MB a CPU second",
    peer="5 `re` patterns, one after another",
    goal=">= 1",
)
def personal_data(size: Size) -> Iterator[Pair]:
    from mlm_plugins.detectors.pii import redact

    texts = with_personal_data(sentences(size.of(3_000, 100), 200), 0.25)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6

    def rate(mask: Callable[[str], str]) -> float:
        started = time.process_time()
        masked = [mask(text) for text in texts]
        seconds = time.process_time() - started
        assert 0.2 < sum("<" in text for text in masked) / len(texts) < 0.3
        return megabytes / seconds

    yield lambda: rate(redact), lambda: rate(_sequential)


def _sequential(text: str) -> str:
    for pattern, name in PATTERNS:
        text = pattern.sub(name, text)
    return text
