"""Does a text classifier tell the labels apart?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, nextafter, sqrt
from typing import TYPE_CHECKING, ClassVar

from attrs import define, validators

import mlm
from mlm.measures import proportion
from mlm_plugins.detectors.classifier import Classifier, classifier_of
from mlm_plugins.detectors.columns import joined
from mlm_plugins.evaluators.intervals import Z, rank_score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@define(kw_only=True)
class Classification:
    """Area under the ROC curve of a text classifier, and the share of right labels.

    The area is the chance that a row of a positive label scores higher than one of another label; its interval is the
    wider of DeLong's (DeLong et al. 1988, on the logit) and the score interval of Newcombe (2006, method 5), which
    keeps its width where few pairs are in the wrong order. With one row on a side it is all of 0 to 1.
    """

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("roc_auc", "share", "higher", "how well scores part the positive labels from the others"),
        mlm.MetricSpec("accuracy", "share", "higher", "rows whose most probable label is the right one"),
    )

    positive: list[str] = mlm.setting(
        validator=validators.min_len(1), help="labels that count as positive: their probabilities add up to the score"
    )
    label: str = mlm.setting("label", help="column that holds the right label")
    columns: list[str] = mlm.setting(factory=list, help="columns of text; without any, all text columns")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        classifier = classifier_of(model)
        chosen = classifier.places(self.positive, context.step)
        examples, scores = self._judged(classifier, chosen, data, context)
        truth = [one.expected in self.positive for one in examples]
        right = sum(one.answer == one.expected for one in examples)
        return mlm.Report(
            (area(truth, scores), proportion("accuracy", right, len(examples))),
            tuple(examples),
            {"positive": self.positive, "labels": list(classifier.labels)},
        )

    def _judged(
        self, classifier: Classifier, chosen: list[int], data: mlm.Dataset, context: mlm.Context
    ) -> tuple[list[mlm.Example], list[float]]:
        """Return an example of each row, and how probable a positive label is for it."""
        import pyarrow as pa

        found, positive = list[mlm.Example](), list[float]()
        for record in data.batches():
            batch = mlm.Batch(pa.Table.from_batches([record]))
            if self.label not in batch.table.column_names:
                raise mlm.DataError(f"{data.ref or data.path.name} has no column '{self.label}'  [{context.step}]")
            texts = joined(batch.table, self.columns or batch.text_columns)
            chances = classifier.probabilities(texts)
            expected = map(str, batch.table.column(self.label).to_pylist())
            rows = zip(batch.strings("row_id"), texts.to_pylist(), chances, expected, strict=True)
            found += [_example(classifier.labels, *row) for row in rows]
            positive += chances[:, chosen].sum(axis=1).tolist()
        return found, positive


def _example(labels: Sequence[str], row_id: str, text: str, chances: NDArray[np.float64], expected: str) -> mlm.Example:
    """Return a row with its most probable label.

    Its score is from 0.5 where that is the right one, and the higher, the more probable the right one is beside the
    most probable other.
    """
    told = dict(zip(labels, chances.tolist(), strict=True))
    answer, own = labels[int(chances.argmax())], told.pop(expected, 0.0)
    score = 0.5 + (own - max(told.values(), default=0.0)) / 2
    # Of two that are as probable as each other, one is the answer all the same.
    score = score if answer == expected else min(score, nextafter(0.5, 0))
    return mlm.Example(row_id, text or "", answer, expected, score)


def area(truth: list[bool], scores: list[float]) -> mlm.Measure:
    """Measure the area under the ROC curve; None where only positives, or only others, are there."""
    import numpy as np

    found, flags = np.asarray(scores), np.asarray(truth, bool)
    positive, negative = found[flags], found[~flags]
    if not (positive.size and negative.size):
        return mlm.Measure("roc_auc", None, len(truth), unit="share", note="needs rows of both sides")
    # Placements: for each row, the share of the other side that it is on the right side of; half of it for a tie.
    below = np.sort(negative)
    above = np.sort(positive)
    of_positive = (np.searchsorted(below, positive) + np.searchsorted(below, positive, "right")) / (2 * below.size)
    of_negative = 1 - (np.searchsorted(above, negative) + np.searchsorted(above, negative, "right")) / (2 * above.size)
    value = float(of_positive.mean())
    low, high = _interval(value, of_positive, of_negative)
    return mlm.Measure("roc_auc", value, len(truth), low, high, "share")


def _interval(value: float, of_positive: NDArray[np.float64], of_negative: NDArray[np.float64]) -> tuple[float, float]:
    if min(of_positive.size, of_negative.size) < 2:
        return 0.0, 1.0
    low, high = rank_score(value, of_positive.size, of_negative.size)
    variance = sum(float(side.var(ddof=1)) / side.size for side in (of_positive, of_negative))
    if variance == 0 or not 0 < value < 1:
        return low, high
    centre, half = log(value / (1 - value)), Z * sqrt(variance) / (value * (1 - value))
    return min(low, 1 / (1 + exp(half - centre))), max(high, 1 / (1 + exp(-half - centre)))
