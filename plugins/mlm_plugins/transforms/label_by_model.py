"""Labels for rows, by a trained classifier."""

from __future__ import annotations

from attrs import define

import mlm
from mlm_plugins.detectors.classifier import classifier_of
from mlm_plugins.detectors.columns import joined
from mlm_plugins.transforms.labellers import Labelling
from mlm_plugins.transforms.labels import labels_in
from mlm_plugins.transforms.reading import known


@define(kw_only=True)
class LabelByModel(Labelling):
    """Gives each row the label that a classifier finds most probable; where it is unsure, none.

    Rows that have a label already keep it. What has none then is for `label-by-prompt` or `label-by-people`.
    """

    model: mlm.Model = mlm.input(help="a classifier that 'text-classifier' trained")
    columns: list[str] = mlm.setting(factory=list, help="columns of text; without any, all text columns")

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
        return self.label(batch, before, found, context)
