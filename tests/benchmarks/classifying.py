"""Classifying texts by hashed n-grams, beside scikit-learn's."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator

from tests.benchmarks import peers
from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.models import context
from tests.benchmarks.texts import sentences

import mlm


@benchmark(
    "classify",
    "scores of a text classifier on texts of 100 bytes: MB a CPU second",
    peer="scikit-learn: hashed n-grams of the same lengths, logistic regression",
    goal=">= 10",
    rounds=3,
    needs_peers=True,
)
def classifying(size: Size) -> Iterator[Pair]:
    import pyarrow as pa

    from mlm_plugins.detectors.classifier import classifier_of
    from mlm_plugins.trainers.text_classifier import TextClassifier

    texts, chance = sentences(size.of(20_000, 200), 18), random.Random(0)
    labels = [chance.choice(("toxic", "harmless")) for _ in texts]
    file = size.folder / "rows.jsonl"
    some = size.of(4_000, 100)
    file.write_text("".join(json.dumps(row) + "\n" for row in zip(texts[:some], labels, strict=False)))
    columns = {"row_id": list(map(str, range(len(texts)))), "source": ["bench"] * len(texts), "text": texts}
    with mlm.DatasetWriter(size.folder / "rows") as writer:
        writer.write(mlm.Batch(pa.table(columns | {"label": labels})))
    model = TextClassifier(epochs=1).mlm_train(writer.dataset, context(size.folder / "model"))
    column = pa.chunked_array([texts])
    classifier = classifier_of(model)
    classifier.probabilities(column.slice(0, 1))

    def ours() -> float:
        started = time.process_time()
        classifier.probabilities(column)
        return sum(map(len, texts)) / 1e6 / (time.process_time() - started)

    yield ours, lambda: peers.figure_of("sklearn_classifier.py", file)
