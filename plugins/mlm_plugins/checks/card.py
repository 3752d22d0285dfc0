"""Is there enough to write a model card from?"""

from __future__ import annotations

from attrs import define

import mlm


@define(kw_only=True)
class CardComplete:
    """Refuses a model whose card would have holes (model cards, Mitchell et al. 2019)."""

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate, context: mlm.Context) -> mlm.Verdict:
        problem = context.problem
        sections = {
            "purpose": bool(problem.purpose.strip()),
            "task": bool(problem.task),
            "owner": bool(problem.owner),
            "risk_tier": bool(problem.risk_tier),
            "license": bool(problem.license),
            "languages": bool(problem.languages),
            "evaluation": bool(candidate.scores),
        }
        missing = [name for name, filled in sections.items() if not filled]
        if not missing:
            return mlm.Verdict("pass", "card-complete", "every section of the card has content", evidence=sections)
        fields = [name for name in missing if name != "evaluation"]
        parts = [f"[problem] lacks {', '.join(fields)}"] if fields else []
        parts += ["no evaluation was run on this version"] if "evaluation" in missing else []
        return mlm.Verdict("fail", "card-incomplete", "; ".join(parts), evidence=sections)
