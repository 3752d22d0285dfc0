"""Models that do not shout."""

from __future__ import annotations

from typing import ClassVar

import mlm
from attrs import define, validators
from mlm.measures import mean, proportion

from mlm_shout.capitals import shouts


@define(kw_only=True)
class ShoutEvaluator:
    """Share of answers that are all capitals."""

    API_VERSION: ClassVar[int] = 1

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("shouting_rate", "share", "lower", "answers that are all capitals"),
        mlm.MetricSpec("answer_words", "words", "neither", "length of an answer"),
    )

    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        engine = context.load(model)
        rows = list(data.rows())
        prompts = [engine.tokenizer.chat([{"role": "user", "content": row["prompt"]}]) for row in rows]
        answers = [reply.text for reply in engine.generate(prompts, mlm.Sampling(max_tokens=self.max_tokens))]
        examples = tuple(
            mlm.Example(row["row_id"], row["prompt"], answer, score=float(shouts(answer)))
            for row, answer in zip(rows, answers, strict=True)
        )
        loud = proportion("shouting_rate", sum(map(shouts, answers)), len(answers))
        words = mean("answer_words", [len(answer.split()) for answer in answers], seed=context.seed)
        return mlm.Report((loud, words), examples, {"backend": engine.backend})
