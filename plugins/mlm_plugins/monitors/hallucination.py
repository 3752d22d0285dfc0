"""Does the model state what is not so, in the wild?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from attrs import define

import mlm
from mlm.measures import proportion
from mlm_plugins.detectors.knowledge import load_facts

NOTE = "wrong / (right + wrong); refusals and answers that name no known value leave the denominator: see coverage"


@define(kw_only=True)
class HallucinationRate:
    """Share of checkable responses that contradict a table of facts."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("hallucination_rate", "share", "lower", "checkable responses that contradict the facts"),
    )

    facts: Path = mlm.setting(help="JSON lines with subject, attribute and value")

    @mlm.hookimpl
    def mlm_measure(self, window: mlm.Window, context: mlm.Context) -> list[mlm.Signal]:
        facts = load_facts(self.facts)
        served = (one for one in window.exchanges if one.status < 400)
        count = Counter(facts.check(one.prompt, one.response).verdict for one in served)
        checked = count["right"] + count["wrong"]
        covered = checked + count["unchecked"]
        coverage = checked / covered if covered else None
        measure = proportion("hallucination_rate", count["wrong"], checked, coverage=coverage, note=NOTE)
        return [mlm.Signal(measure, window.deployment, window.node)]
