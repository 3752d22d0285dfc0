"""The one answer to 'may it go ahead?'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import field, frozen

Outcome = Literal["pass", "fail", "inconclusive"]


@frozen
class Verdict:
    """Pass, fail or inconclusive, with the interval, reason and evidence it rests on.

    Gates, checks and admission go ahead on `pass` alone.
    """

    outcome: Outcome
    code: str
    reason: str
    low: float | None = None
    high: float | None = None
    evidence: Mapping[str, Any] = field(factory=dict)
    by: str = ""

    @property
    def passed(self) -> bool:
        return self.outcome == "pass"


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """Join verdicts: the worst outcome wins, and no verdict at all is a failure."""
    if not verdicts:
        return Verdict("fail", "no-evidence", "nothing was judged")
    rank = {"fail": 0, "inconclusive": 1, "pass": 2}
    worst = min(verdicts, key=lambda verdict: rank[verdict.outcome])
    reasons = "; ".join(v.reason for v in verdicts if v.outcome == worst.outcome)
    return Verdict(worst.outcome, worst.code, reasons, worst.low, worst.high, worst.evidence, worst.by)
