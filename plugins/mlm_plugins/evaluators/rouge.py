"""How much of the reference is in the answer, in order?"""

from __future__ import annotations

import re
from typing import ClassVar

from attrs import define, evolve, validators

import mlm
from mlm.measures import mean
from mlm_plugins.evaluators.answers import ask, questions, reported
from mlm_plugins.evaluators.intervals import bounded


class Words:
    """Cuts text into words of any script; rouge-score's own tokenizer keeps nothing but a-z and 0-9."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"[^\W_]+", text.lower())


@define(kw_only=True)
class Rouge:
    """Mean ROUGE-L F1 with rouge-score (Lin 2004)."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("rouge_l", "F1", "higher", "longest common subsequence of words, mean F1"),
    )

    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        from rouge_score.rouge_scorer import RougeScorer

        answered, engine = ask(model, questions(data), context, max_tokens=self.max_tokens)
        scorer = RougeScorer(["rougeL"], tokenizer=Words())
        scores = [float(scorer.score(one.question.completion, one.answer)["rougeL"].fmeasure) for one in answered]
        measure = mean("rouge_l", scores, unit="F1", seed=context.seed, within=(0, 1))
        if measure.value is not None and len(set(scores)) == 1:
            low, high = bounded(measure.value, measure.n)
            measure = evolve(measure, low=low, high=high)
        examples = [one.example(score) for one, score in zip(answered, scores, strict=True)]
        return reported([measure], examples, answered, engine)
