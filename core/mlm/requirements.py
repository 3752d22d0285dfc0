"""One requirement -> gate, canary condition, set-point and retirement trigger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from attrs import frozen

from mlm.verdicts import Verdict


@frozen
class Requirement:
    """A bound on a metric: `metric = "hallucination_rate"`, `max = 0.1`."""

    name: str
    metric: str
    """Name of a metric that an evaluator or a monitor measures."""
    min: float | None = None
    """Smallest value allowed; a requirement has either this or `max`."""
    max: float | None = None
    """Largest value allowed."""
    by: str | None = None
    """Which evaluation step measures it for the gate, where several could."""

    @property
    def bound(self) -> float:
        return self.min if self.min is not None else self.max if self.max is not None else float("nan")

    @property
    def text(self) -> str:
        return f"{self.metric} >= {self.min:g}" if self.min is not None else f"{self.metric} <= {self.max:g}"

    def judge(self, value: float | None, low: float | None, high: float | None, by: str = "") -> Verdict:
        """Judge a measured value by its 95 % interval.

        The whole interval on the right side passes, the whole interval on the wrong side fails, and a bound inside
        the interval is inconclusive: more data, or a person, must decide. A value without one is judged as it is.
        """
        if value is None:
            return Verdict("inconclusive", "not-measured", f"{self.name}: {self.metric} was not measurable", by=by)
        is_point = low is None and high is None
        low, high = value if low is None else low, value if high is None else high
        good, bad = self._sides(low, high)
        outcome = "pass" if good else "fail" if bad else "inconclusive"
        code = {"pass": "met", "fail": "broken", "inconclusive": "bound-inside-interval"}[outcome]
        between = "without an interval" if is_point else f"[{low:.4g}, {high:.4g}]"
        reason = f"{self.name}: {self.metric} {value:.4g} {between}, required {self.text.split(' ', 1)[1]}"
        return Verdict(outcome, code, reason, low, high, {"value": value, "requirement": self.name}, by)  # type: ignore[arg-type]

    def _sides(self, low: float, high: float) -> tuple[bool, bool]:
        if self.min is not None:
            return low >= self.min, high < self.min
        assert self.max is not None
        return high <= self.max, low > self.max


def requirements_digest(requirements: Iterable[Requirement]) -> str:
    """Return a digest of a set of requirements: a verdict holds for the numbers it was judged by."""
    rows = sorted([r.name, r.metric, r.min, r.max, r.by] for r in requirements)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
