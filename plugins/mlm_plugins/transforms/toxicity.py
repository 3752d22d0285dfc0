"""Insults and hate in training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define
from attrs.validators import and_, deep_iterable, ge, in_, le, min_len

import mlm
from mlm_plugins.detectors.classifier import classifier_of
from mlm_plugins.detectors.columns import joined
from mlm_plugins.detectors.toxicity import LEVELS, toxic_terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@define(kw_only=True)
class Toxicity:
    """Removes rows that hold insults or threats, by a lexicon, and by a classifier where one is given.

    The classifier is one that `text-classifier` trained; a row's score is the sum of the probabilities of the labels in
    `toxic`.
    """

    max_terms: int = mlm.setting(0, validator=ge(0), help="how many toxic terms a row may hold")
    level: str = mlm.setting("mild", validator=in_(LEVELS), help="strong: the graver part of the lexicon alone")
    words: list[str] = mlm.setting(factory=list, validator=deep_iterable(min_len(1)), help="further terms")
    model: mlm.Model | None = mlm.input(default=None, help="a classifier that 'text-classifier' trained")
    toxic: list[str] = mlm.setting(factory=lambda: ["toxic"], validator=min_len(1), help="labels that mean toxic")
    threshold: float = mlm.setting(
        0.5, validator=and_(ge(0), le(1)), help="score of the classifier from which a row is toxic"
    )
    column: str = mlm.setting("", help="column that keeps the classifier's score; empty: none")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        details = [self._excess(text) for text in batch.texts()]
        if self.model is not None:
            scores = self._scores(batch, self.model, context)
            for row in (scores >= self.threshold).nonzero()[0]:
                told = f"score {scores[row]:.3f} by {self.model.ref or self.model.path.name}"
                details[row] = "; ".join(filter(None, (details[row], told)))
            if self.column:
                batch = batch.with_column(self.column, scores.round(4).tolist())
        return batch.remove(details, "toxicity")

    def _excess(self, text: str) -> str | None:
        terms = toxic_terms(text, self.level, self.words)
        return ", ".join(sorted(set(terms))) if len(terms) > self.max_terms else None

    def _scores(self, batch: mlm.Batch, model: mlm.Model, context: mlm.Context) -> NDArray[np.float64]:
        classifier = classifier_of(model)
        chosen = classifier.places(self.toxic, context.step)
        chances = classifier.probabilities(joined(batch.table, batch.text_columns))
        scores: NDArray[np.float64] = chances[:, chosen].sum(axis=1)
        return scores
