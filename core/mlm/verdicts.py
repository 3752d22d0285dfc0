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
    """Only `pass` goes ahead."""
    code: str
    """A stable word for the reason, for programs."""
    reason: str
    """The reason in a line, with what was seen and what was expected."""
    low: float | None = None
    """Lower end of the interval that was judged."""
    high: float | None = None
    """Upper end of the interval that was judged."""
    evidence: Mapping[str, Any] = field(factory=dict)
    """What it rests on, as JSON types."""
    by: str = ""
    """Who judged; set by mlm."""

    @property
    def passed(self) -> bool:
        """Whether the outcome is `pass`."""
        return self.outcome == "pass"


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """Join verdicts: the worst outcome wins, and no verdict at all is a failure."""
    if not verdicts:
        return Verdict("fail", "no-evidence", "nothing was judged")
    rank = {"fail": 0, "inconclusive": 1, "pass": 2}
    worst = min(verdicts, key=lambda verdict: rank[verdict.outcome])
    reasons = "; ".join(v.reason for v in verdicts if v.outcome == worst.outcome)
    return Verdict(worst.outcome, worst.code, reasons, worst.low, worst.high, worst.evidence, worst.by)
