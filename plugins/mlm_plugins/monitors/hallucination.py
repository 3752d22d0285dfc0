"""Does the model state what is not so, in the wild?"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from attrs import define

import mlm
from mlm_plugins.detectors.knowledge import hallucination_rate, load_facts


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
        served = (one for one in window.exchanges if one.outcome == "answered")
        measure = hallucination_rate(facts.check(one.prompt, one.response) for one in served)
        return [mlm.Signal(measure, window.deployment, window.node)]
