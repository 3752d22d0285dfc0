"""How near are translations and other free texts to the reference?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from attrs import define, validators

import mlm
from mlm_plugins.evaluators.answers import ask, questions, reported
from mlm_plugins.evaluators.intervals import bounded, resampled


@define(kw_only=True)
class Bleu:
    """Corpus BLEU with sacrebleu (Papineni et al. 2002; Post 2018)."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("bleu", "points of 100", "higher", "n-gram overlap with the reference, whole corpus"),
    )

    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        answered, engine = ask(model, questions(data), context, max_tokens=self.max_tokens)
        answers = [one.answer for one in answered]
        measure, signature = corpus_bleu(answers, [one.question.completion for one in answered], context.seed)
        return reported([measure], [one.example() for one in answered], answered, engine, signature=signature)


def corpus_bleu(answers: Sequence[str], references: Sequence[str], seed: int) -> tuple[mlm.Measure, str]:
    """Return corpus BLEU with its interval, and the signature that makes it comparable.

    The interval draws or leaves out rows and scores the whole corpus again (Koehn 2004): BLEU is no mean over rows.
    """
    import numpy as np
    from sacrebleu.metrics.bleu import BLEU

    metric, counter = BLEU(), BLEU(effective_order=True)
    score = metric.corpus_score(list(answers), [list(references)])
    counts = np.array([_counts(counter, a, r) for a, r in zip(answers, references, strict=True)])
    low, high = resampled(lambda rows: _score(counts[rows].sum(axis=0)), len(counts), seed)
    if low is None or high is None:
        low, high = bounded(score.score, len(counts), 100.0)
    measure = mlm.Measure("bleu", score.score, len(counts), max(0.0, low), min(100.0, high), "points of 100")
    return measure, str(metric.get_signature())


def _counts(counter: Any, answer: str, reference: str) -> list[int]:
    """Return lengths, matches and n-gram totals of one row; they add up over a corpus."""
    one = counter.sentence_score(answer, [reference])
    return [one.sys_len, one.ref_len, *one.counts, *one.totals]


def _score(total: Any) -> float:
    from sacrebleu.metrics.bleu import BLEU

    counts = [int(value) for value in total]
    result = BLEU.compute_bleu(counts[2:6], counts[6:10], counts[0], counts[1], smooth_method="exp")
    return float(result.score)
