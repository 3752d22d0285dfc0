"""Classify texts by scikit-learn's hashed n-grams and logistic regression; prints MB a CPU second.

Takes a file with one JSON list [text, label] a line: the first half is learnt from, then all are classified.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union


def main() -> None:
    """Learn, then measure the classifying alone."""
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    words = HashingVectorizer(ngram_range=(1, 2), n_features=1 << 18)
    runs = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=1 << 18)
    pipeline = make_pipeline(make_union(words, runs), LogisticRegression())
    pipeline.fit(texts[: len(texts) // 2], labels[: len(texts) // 2])
    started = time.process_time()
    pipeline.predict_proba(texts)
    print(sum(len(text.encode()) for text in texts) / 1e6 / (time.process_time() - started))


if __name__ == "__main__":
    main()
