"""Does another form of a model still behave as the model did?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from attrs import define, validators

import mlm
from mlm.measures import proportion
from mlm_plugins.evaluators.answers import Answered, ask, questions, reported
from mlm_plugins.evaluators.intervals import paired_difference


@define(kw_only=True)
class Parity:
    """Agreement with a reference model on the same prompts, such as an export with its source."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("answer_agreement", "share", "higher", "greedy answers equal to those of the reference"),
        mlm.MetricSpec("accuracy_drop", "share", "lower", "exact match of the reference less that of the model"),
    )

    reference: mlm.Model = mlm.input(help="model to agree with")
    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        rows = questions(data)
        ours, engine = ask(model, rows, context, max_tokens=self.max_tokens)
        theirs, reference = ask(self.reference, rows, context, max_tokens=self.max_tokens)
        agree = [_agree(*pair) for pair in zip(ours, theirs, strict=True)]
        measures = (proportion("answer_agreement", sum(agree), len(agree)), accuracy_drop(theirs, ours))
        examples = [one.example(float(equal)) for one, equal in zip(ours, agree, strict=True)]
        return reported(measures, examples, [*ours, *theirs], engine, reference_backend=reference.backend)


def _agree(one: Answered, other: Answered) -> bool:
    return not (one.unanswered or other.unanswered) and one.answer == other.answer


def accuracy_drop(before: Sequence[Answered], after: Sequence[Answered]) -> mlm.Measure:
    """Measure the paired difference of exact match, with Newcombe's interval (1998, method 10).

    It is made of the two Wilson intervals and their correlation, so it keeps a width where no answer changed.
    """
    pairs = [(a.is_right, b.is_right) for a, b in zip(before, after, strict=True)]
    lost, won = pairs.count((True, False)), pairs.count((False, True))
    low, high = paired_difference(pairs.count((True, True)), lost, won, pairs.count((False, False)))
    note = f"{lost} lost, {won} won"
    return mlm.Measure("accuracy_drop", (lost - won) / len(pairs), len(pairs), low, high, "share", note=note)
