"""Scores bound to digests: of the model, of the data, and of what measured them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mlm.artifacts import Report
from mlm.plan import InputNode
from mlm.steps import Step
from mlm_registry import Score


def scores_of(report: Report, step: Step, inputs: Sequence[InputNode], seed: int) -> list[Score]:
    """Return a score for each measure that has a value; a child of the model inherits none of them."""
    model = next(node for role, node, _ in inputs if role == "model")
    data = joint_digest([node.digest for role, node, _ in inputs if role == "data"])
    ref = step.binding.ref
    return [
        Score(
            metric=m.metric,
            value=m.value,
            model=model.digest,
            data=data,
            evaluator=f"{ref.identity} {ref.version}",
            step=step.name.partition(":")[0],
            n=m.n,
            low=m.low,
            high=m.high,
            unit=m.unit,
            backend=str(report.details.get("backend", model.metadata.get("library", ""))),
            seed=seed,
        )
        for m in report.measures
        if m.value is not None
    ]


def joint_digest(digests: Sequence[str]) -> str:
    """Return the digest of one dataset, or one that stands for several in their order; nothing where there is none."""
    if len(digests) <= 1:
        return "".join(digests)
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()
