"""Labels for rows, by a trained classifier."""

from __future__ import annotations

from attrs import define
from attrs.validators import and_, ge, le

import mlm
from mlm_plugins.detectors.classifier import classifier_of
from mlm_plugins.detectors.columns import joined
from mlm_plugins.transforms.labellers import BY_HELP, credited
from mlm_plugins.transforms.labels import labelled, labels_in
from mlm_plugins.transforms.reading import known


@define(kw_only=True)
class LabelByModel:
    """Gives each row the label that a classifier finds most probable; where it is unsure, none.

    Rows that have a label already keep it. What has none then is for `label-by-prompt` or `label-by-people`.
    """

    model: mlm.Model = mlm.input(help="a classifier that 'text-classifier' trained")
    columns: list[str] = mlm.setting(factory=list, help="columns of text; without any, all text columns")
    min_confidence: float = mlm.setting(
        0.0, validator=and_(ge(0), le(1)), help="probability from which a label is given"
    )
    column: str = mlm.setting("label", help="name of the column")
    confidence_column: str = mlm.setting("", help="column that keeps the probability; empty: none")
    by_column: str = mlm.setting("", help=BY_HELP)

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        known(batch, self.columns, context.step)
        classifier = classifier_of(self.model)
        chances = classifier.probabilities(joined(batch.table, self.columns or batch.text_columns))
        best, highest = chances.argmax(axis=1).tolist(), chances.max(axis=1, initial=0.0).tolist()
        before = labels_in(batch, self.column)
        found = [
            None if was else (classifier.labels[place], chance)
            for was, place, chance in zip(before, best, highest, strict=True)
        ]
        made = labelled(batch, self.column, found, self.min_confidence, self.confidence_column)
        return credited(made, before, self.column, self.by_column, context.step, found)
