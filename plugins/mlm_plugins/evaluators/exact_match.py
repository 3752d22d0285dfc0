"""Are the answers those that the data gives?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from attrs import asdict, define, validators

import mlm
from mlm.measures import proportion
from mlm_plugins.evaluators.answers import Answered, ask, questions, reported

EXACT_MATCH = mlm.MetricSpec("exact_match", "share", "higher", "answers equal to the expected one")


@define(kw_only=True)
class ExactMatch:
    """Share of answers equal to the expected one, but for case and white space."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (EXACT_MATCH,)

    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        answered, engine = ask(model, questions(data), context, max_tokens=self.max_tokens)
        examples = [one.example(float(one.is_right)) for one in answered]
        return reported([_share(answered)], examples, answered, engine, by_label=_by_label(answered))


def _share(answered: Sequence[Answered]) -> mlm.Measure:
    return proportion("exact_match", sum(one.is_right for one in answered), len(answered))


def _by_label(answered: Sequence[Answered]) -> dict[str, Any]:
    labels = sorted({one.question.label for one in answered} - {""})
    return {label: asdict(_share([one for one in answered if one.question.label == label])) for label in labels}
