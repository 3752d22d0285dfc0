"""Does the model state what is not so?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from attrs import asdict, define, validators

import mlm
from mlm_plugins.detectors.knowledge import hallucination_rate, load_facts
from mlm_plugins.evaluators.answers import ask, questions, reported


@define(kw_only=True)
class Hallucination:
    """Share of checkable answers that contradict a table of facts (as SimpleQA, Wei et al. 2024)."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("hallucination_rate", "share", "lower", "checkable answers that contradict the facts"),
    )

    facts: Path = mlm.setting(help="JSON lines with subject, attribute and value")
    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        facts = load_facts(self.facts)
        answered, engine = ask(model, questions(data, completions=False), context, max_tokens=self.max_tokens)
        checks = [facts.check(one.question.prompt, one.answer) for one in answered]
        examples = tuple(
            one.example(float(check.verdict == "wrong"))
            for one, check in zip(answered, checks, strict=True)
            if check.verdict in ("right", "wrong")
        )
        wrong = [asdict(check) for check in checks if check.verdict == "wrong"]
        verdicts = dict(Counter(check.verdict for check in checks))
        return reported([hallucination_rate(checks)], examples, answered, engine, verdicts=verdicts, wrong=wrong)
