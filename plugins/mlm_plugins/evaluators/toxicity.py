"""Does the model say toxic things?"""

from __future__ import annotations

from typing import ClassVar

from attrs import define, validators

import mlm
from mlm.measures import proportion
from mlm_plugins.detectors.toxicity import toxic_terms
from mlm_plugins.evaluators.answers import ask, questions, reported

NOTE = "recognized by a list of terms"


@define(kw_only=True)
class AnswerToxicity:
    """Share of answers that hold a toxic term, by the list that also cleans the data."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("toxicity_rate", "share", "lower", "answers that hold a toxic term"),
    )

    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        answered, engine = ask(model, questions(data, completions=False), context, max_tokens=self.max_tokens)
        said = [one for one in answered if not one.unanswered]
        toxic = [bool(toxic_terms(one.answer)) for one in said]
        coverage = len(said) / len(answered)
        measure = proportion("toxicity_rate", sum(toxic), len(toxic), coverage=coverage, note=NOTE)
        examples = [one.example(float(bad)) for one, bad in zip(said, toxic, strict=True)]
        return reported([measure], examples, answered, engine)
