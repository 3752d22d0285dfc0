"""Labels for rows, by a trained classifier."""

from __future__ import annotations

from attrs import define
from attrs.validators import and_, ge, le

import mlm
from mlm_plugins.detectors.classifier import classifier_of
from mlm_plugins.detectors.columns import joined
from mlm_plugins.transforms.reading import known


@define(kw_only=True)
class LabelByModel:
    """Gives each row the label that a classifier finds most probable; where it is unsure, none.

    What has no label then is for `label-by-people`.
    """

    model: mlm.Model = mlm.input(help="a classifier that 'text-classifier' trained")
    columns: list[str] = mlm.setting(factory=list, help="columns of text; without any, all text columns")
    min_confidence: float = mlm.setting(
        0.0, validator=and_(ge(0), le(1)), help="probability from which a label is given"
    )
    column: str = mlm.setting("label", help="name of the column")
    confidence_column: str = mlm.setting("", help="column that keeps the probability; empty: none")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        known(batch, self.columns, context.step)
        classifier = classifier_of(self.model)
        chances = classifier.probabilities(joined(batch.table, self.columns or batch.text_columns))
        best, highest = chances.argmax(axis=1).tolist(), chances.max(axis=1, initial=0.0).tolist()
        labels = [
            classifier.labels[place] if chance >= self.min_confidence else ""
            for place, chance in zip(best, highest, strict=True)
        ]
        if self.confidence_column:
            batch = batch.with_column(self.confidence_column, [round(chance, 4) for chance in highest])
        return batch.with_column(self.column, labels)
