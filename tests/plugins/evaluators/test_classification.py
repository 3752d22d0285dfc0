"""The area under the curve is the share of pairs in the right order, and its interval is as wide as resampling says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import mlm
from mlm.examples import is_wrong, worst_first
from mlm_plugins.detectors.classifier import Classifier, classifier_of
from mlm_plugins.evaluators.classification import Classification, area


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_the_area_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, int]]) -> None:
    truth, scores = [flag for flag, _ in rows], [float(score) for _, score in rows]
    pairs = [
        (score > other) + (score == other) / 2
        for flag, score in rows
        for against, other in rows
        if flag and not against
    ]

    measure = area(truth, scores)

    assert measure.value == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
    if measure.low is not None and measure.high is not None and measure.value is not None:
        assert 0 <= measure.low <= measure.value <= measure.high <= 1
        assert measure.low < measure.high


def test_the_interval_is_as_wide_as_resampling_says() -> None:
    chance = np.random.default_rng(0)
    truth = chance.random(400) < 0.3
    scores = chance.normal(size=400) + truth
    values = []
    for _ in range(2000):
        taken = chance.integers(0, 400, 400)
        values.append(area(truth[taken].tolist(), scores[taken].tolist()).value)

    measure = area(truth.tolist(), scores.tolist())

    low, high = np.quantile(np.array(values, float), [0.025, 0.975])
    assert (measure.low, measure.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_the_interval_is_as_wide_as_the_score_method_says_where_resampling_sees_too_little() -> None:
    measure = area([True] * 4 + [False] * 6, [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0])

    # Newcombe 2006, part 2, method 5: the smallest t with 1 - t <= z * sqrt(variance at t).
    t = np.linspace(0, 1, 1_000_001)[1:-1]
    variance = t * (1 - t) * (1 + 4 * (1 - t) / (2 - t) + 4 * t / (1 + t)) / 24
    assert measure.low == pytest.approx(t[1 - t <= 1.959964 * np.sqrt(variance)].min(), abs=1e-5)
    assert (measure.value, measure.high) == (1.0, 1.0)


@pytest.mark.parametrize("sides", [(1, 1), (1, 300), (300, 1)])
def test_one_row_on_a_side_says_nothing(sides: tuple[int, int]) -> None:
    measure = area([True] * sides[0] + [False] * sides[1], [0.9] * sides[0] + [0.1] * sides[1])

    assert (measure.value, measure.low, measure.high) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize("sides", [(2, 2), (3, 3), (5, 5), (5, 100), (100, 5), (30, 30)])
@pytest.mark.parametrize("truth", [0.8, 0.97])
def test_the_interval_covers_the_truth_however_few_rows_there_are(sides: tuple[int, int], truth: float) -> None:
    chance = np.random.default_rng(3)
    flags = [True] * sides[0] + [False] * sides[1]
    apart = norm.ppf(truth) * np.sqrt(2)

    covered, flattered = 0, 0
    for _ in range(300):
        scores = chance.normal(size=len(flags)) + apart * np.array(flags)
        measure = area(flags, scores.tolist())
        assert measure.low is not None
        assert measure.high is not None
        covered += measure.low <= truth <= measure.high
        flattered += measure.low > truth

    assert covered >= 0.93 * 300  # nominal 0.95; the standard error is 0.013
    assert flattered <= 0.03 * 300


@pytest.fixture
def model(tmp_path: Path) -> mlm.Model:
    """A classifier that always says the same, with 0.2, 0.5 and 0.3."""
    weights = np.zeros((256, 3), np.float32)
    Classifier(("hate", "offensive", "plain"), weights, np.log([0.2, 0.5, 0.3]).astype(np.float32)).save(tmp_path)
    return mlm.Model(tmp_path, "text-classifier")


@pytest.mark.parametrize("chances", [[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.98, 0.01, 0.01]])
def test_a_row_is_wrong_where_accuracy_counts_it_wrong(bench: Any, tmp_path: Path, chances: list[float]) -> None:
    labels = ("hate", "offensive", "plain")
    Classifier(labels, np.zeros((256, 3), np.float32), np.log(chances).astype(np.float32)).save(tmp_path)
    rows = [{"text": label, "label": label} for label in (*labels, "none of them")]

    report = Classification(positive=["hate", "offensive"]).mlm_evaluate(
        mlm.Model(tmp_path, "text-classifier"), bench.data(rows), bench.context()
    )

    accuracy = next(one.value for one in report.measures if one.metric == "accuracy")
    wrong = [one for one in report.examples if is_wrong(one, lower_better=False)]
    assert accuracy == 1 - len(wrong) / len(rows)
    assert all(one.answer != one.expected for one in wrong)


def test_the_worst_row_is_the_one_that_is_most_certainly_wrong(bench: Any, model: mlm.Model) -> None:
    rows = [{"text": label, "label": label} for label in ("hate", "offensive", "plain")]

    report = Classification(positive=["hate"]).mlm_evaluate(model, bench.data(rows), bench.context())

    assert [one.score for one in worst_first(report.examples, lower_better=False)] == pytest.approx([0.35, 0.4, 0.6])
    assert [one.expected for one in worst_first(report.examples, lower_better=False)] == ["hate", "plain", "offensive"]


def test_the_area_is_of_the_probabilities_of_all_positive_labels_together(bench: Any, tmp_path: Path) -> None:
    weights = np.random.default_rng(3).normal(size=(256, 3)).astype(np.float32)
    Classifier(("hate", "offensive", "plain"), weights, np.zeros(3, np.float32)).save(tmp_path)
    rows = [{"text": f"word{i} other{i % 7}", "kind": ("hate", "plain", "offensive")[i % 3]} for i in range(30)]

    report = Classification(positive=["hate", "offensive"], label="kind").mlm_evaluate(
        mlm.Model(tmp_path, "text-classifier"), bench.data(rows), bench.context()
    )

    texts = pa.chunked_array([[row["text"] for row in rows]])
    chances = classifier_of(mlm.Model(tmp_path, "text-classifier")).probabilities(texts)
    expected = area([row["kind"] != "plain" for row in rows], (chances[:, 0] + chances[:, 1]).tolist())
    assert report.measures[0] == expected


def test_labels_and_models_that_do_not_fit_are_named(bench: Any, model: mlm.Model, tmp_path: Path) -> None:
    data = bench.data([{"text": "a", "label": "plain"}])

    with pytest.raises(mlm.ProjectError, match=r"no label 'toxic' \(labels: hate, offensive, plain\)"):
        Classification(positive=["toxic"]).mlm_evaluate(model, data, bench.context())
    with pytest.raises(mlm.ProjectError, match="is a transformers model, expected one that 'text-classifier' trained"):
        Classification(positive=["hate"]).mlm_evaluate(mlm.Model(tmp_path), data, bench.context())
    with pytest.raises(mlm.DataError, match="has no column 'kind'"):
        Classification(positive=["hate"], label="kind").mlm_evaluate(model, data, bench.context())
