"""Models that do not shout."""

from typing import ClassVar

from attrs import define, validators

import mlm
from mlm.measures import proportion
from mlm_shout.capitals import shouts


@define(kw_only=True)
class Shouting:
    """Share of answers that are all capitals."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("shouting_rate", "share", "lower", "answers that are all capitals"),
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
        return mlm.Report((loud,), examples, {"backend": engine.backend})
