"""The recipe of the toxicity classifier, on tweets that people have judged (Davidson et al. 2017)."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlm
from mlm_plugins.detectors.toxicity import toxic_terms
from mlm_plugins.evaluators.classification import Classification, area
from mlm_plugins.trainers.text_classifier import TextClassifier
from mlm_plugins.transforms.toxicity import Toxicity

TWEETS = Path(os.environ.get("MLM_REAL_DATA", "")) / "safety" / "davidson_labeled.csv"
KINDS = {"0": "hate", "1": "offensive", "2": "neither"}

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not TWEETS.is_file(), reason="MLM_REAL_DATA has no safety/davidson_labeled.csv"),
]


def halves() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return two halves of the tweets, drawn with a fixed seed."""
    with TWEETS.open(encoding="utf-8", newline="") as file:
        rows = [(row["tweet"], KINDS[row["class"]]) for row in csv.DictReader(file)]
    order = np.random.default_rng(2017).permutation(len(rows))
    one, other = ([rows[i] for i in part] for part in np.array_split(order, 2))
    return tuple({"text": [text for text, _ in half], "label": [kind for _, kind in half]} for half in (one, other))  # type: ignore[return-value]


def test_a_held_out_half_is_told_apart(store: Callable[..., mlm.Dataset], apply: Any, tmp_path: Path) -> None:
    learned, held_out = halves()
    context = mlm.Context(
        folder=tmp_path, work=tmp_path, project=tmp_path, problem=mlm.Problem(name="t", task="chat", purpose="p")
    )

    model = TextClassifier().mlm_train(store(learned), context)
    report = Classification(positive=["hate", "offensive"]).mlm_evaluate(model, store(held_out), context)

    auc, accuracy = report.measures
    by_lexicon = area(
        [kind != "neither" for kind in held_out["label"]], [float(len(toxic_terms(text))) for text in held_out["text"]]
    )
    print(f"ROC AUC {auc.value:.4f} [{auc.low:.4f}, {auc.high:.4f}], accuracy {accuracy.value:.4f}, n {auc.n}")
    print(f"ROC AUC of the lexicon {by_lexicon.value:.4f}")
    assert auc.low is not None
    assert auc.low > 0.96
    assert by_lexicon.value is not None
    assert auc.low > by_lexicon.value

    kept = apply(Toxicity(model=model, toxic=["hate", "offensive"], max_terms=1000), held_out)
    toxic = {row["label"] == "neither" for row in kept.rows()}
    assert toxic == {True, False}
    wrong = sum(row["label"] != "neither" for row in kept.rows()) / kept.num_rows
    assert wrong < 0.2
