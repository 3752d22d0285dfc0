"""The language of documents, beside the library whose model it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.texts import documents


@benchmark(
    "language",
    "language of 2 kB documents, among 140: MB a CPU second",
    peer="py3langid, text by text",
    goal=">= 5",
)
def languages(size: Size) -> Iterator[Pair]:
    import pyarrow as pa
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    from mlm_plugins.detectors.identification import identified

    texts = documents(size.of(2_000, 50))
    some, column = texts[: size.of(300, 20)], pa.chunked_array([texts])
    peer = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identified(column.slice(0, 1))

    def rate(work: Callable[[], object], over: list[str]) -> float:
        started = time.process_time()
        work()
        return sum(map(len, over)) / 1e6 / (time.process_time() - started)

    yield lambda: rate(lambda: identified(column), texts), lambda: rate(lambda: [*map(peer.classify, some)], some)
