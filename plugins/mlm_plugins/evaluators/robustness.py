"""Do answers stay right when the question is written a little otherwise?"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

from attrs import asdict, define, evolve, validators

import mlm
from mlm.measures import proportion
from mlm_plugins.evaluators.answers import Answered, Question, ask, questions, same
from mlm_plugins.evaluators.intervals import bounded
from mlm_plugins.evaluators.perturbations import PERTURBATIONS

NOTE = "of prompts that were answered right; the interval counts prompts, as if all changes of one prompt agreed"


@define(kw_only=True)
class Robustness:
    """Share of right answers kept under typos, case and punctuation (PromptRobust, Zhu et al. 2023)."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("robustness", "share", "higher", "right answers that stay right when the prompt is perturbed"),
    )

    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        rows = questions(data)
        answered, engine = ask(model, rows, context, max_tokens=self.max_tokens)
        right = [one.question for one in answered if _right(one)]
        kept: dict[str, list[Answered]] = {}
        for name in PERTURBATIONS:
            kept[name] = ask(model, _perturbed(right, name, context.seed), context, max_tokens=self.max_tokens)[0]
        details = {"backend": engine.backend, "by_perturbation": {n: asdict(_share(a)) for n, a in kept.items()}}
        examples = tuple(one.example(float(_right(one))) for group in kept.values() for one in group)
        return mlm.Report((_overall(kept, len(right), len(rows)),), examples, details)


def _perturbed(rows: Sequence[Question], name: str, seed: int) -> list[Question]:
    change = PERTURBATIONS[name]
    # A generator for each row: its change does not depend on which other rows were answered right.
    return [
        evolve(row.asking(change(row.prompt, Random(f"{seed} {name} {row.row_id}"))), label=name)  # noqa: S311
        for row in rows
    ]


def _right(one: Answered) -> bool:
    return same(one.answer, one.question.completion)


def _share(answered: Sequence[Answered]) -> mlm.Measure:
    return proportion("robustness", sum(map(_right, answered)), len(answered))


def _overall(kept: dict[str, list[Answered]], right: int, asked: int) -> mlm.Measure:
    every: list[Any] = [_right(one) for group in kept.values() for one in group]
    if not every:
        return mlm.Measure("robustness", None, 0, unit="share", coverage=0.0, note="no prompt was answered right")
    value = sum(every) / len(every)
    low, high = bounded(value, right)
    return mlm.Measure("robustness", value, right, low, high, "share", right / asked, NOTE)
