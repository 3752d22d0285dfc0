"""Do answers stay right when the question is written a little otherwise?"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import ClassVar

from attrs import asdict, define, evolve, validators

import mlm
from mlm.measures import proportion
from mlm_plugins.evaluators.answers import Answered, Question, ask, questions, reported
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
        right = [one.question for one in answered if one.is_right]
        kept: dict[str, list[Answered]] = {}
        for name in PERTURBATIONS:
            kept[name] = ask(model, _perturbed(right, name, context.seed), context, max_tokens=self.max_tokens)[0]
        changed = [one for group in kept.values() for one in group]
        return reported(
            [_overall(changed, len(right), len(rows))],
            [one.example(float(one.is_right)) for one in changed],
            [*answered, *changed],
            engine,
            by_perturbation={name: asdict(_share(group)) for name, group in kept.items()},
        )


def _perturbed(rows: Sequence[Question], name: str, seed: int) -> list[Question]:
    change = PERTURBATIONS[name]
    # A generator for each row: its change does not depend on which other rows were answered right.
    return [
        evolve(row.asking(change(row.prompt, Random(f"{seed} {name} {row.row_id}"))), label=name)  # noqa: S311
        for row in rows
    ]


def _share(answered: Sequence[Answered]) -> mlm.Measure:
    return proportion("robustness", sum(one.is_right for one in answered), len(answered))


def _overall(changed: Sequence[Answered], right: int, asked: int) -> mlm.Measure:
    if not changed:
        return mlm.Measure("robustness", None, 0, unit="share", coverage=0.0, note="no prompt was answered right")
    value = sum(one.is_right for one in changed) / len(changed)
    low, high = bounded(value, right)
    return mlm.Measure("robustness", value, right, low, high, "share", right / asked, NOTE)
