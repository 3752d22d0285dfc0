"""Is the model worth what it costs to serve?"""

from __future__ import annotations

from attrs import define, validators

import mlm

HOURS_PER_MONTH = 8766 / 12  # 365.25 days


@define(kw_only=True)
class ReturnOnInvestment:
    """Sets the value of a month's requests against the price of cores that serve all month."""

    cores: float = mlm.setting(2, validator=validators.gt(0), help="cores that are kept for serving")

    @mlm.hookimpl
    def mlm_review(self, problem: mlm.Problem, context: mlm.Context) -> list[mlm.Finding]:
        cost = self.cores * HOURS_PER_MONTH * problem.cost_per_cpu_hour_usd
        basis = f"{self.cores:g} cores all month at {problem.cost_per_cpu_hour_usd:g} USD an hour are {cost:.2f} USD"
        value, requests = problem.value_per_request_usd, problem.requests_per_month
        stated = {"value_per_request_usd": value, "requests_per_month": requests}
        missing = [name for name, amount in stated.items() if amount is None]
        if value is None or requests is None:
            title = f"the return is unknown: {' and '.join(missing)} missing ({basis})"
            return [mlm.Finding("return-unknown", title, "gap", advice=f"set {', '.join(missing)} in [problem]")]
        earned = value * requests
        title = f"{earned:.2f} USD of value a month; {basis}: {earned - cost:+.2f} USD"
        if earned >= cost:
            return [mlm.Finding("return-positive", title, "note", advice=_break_even(cost, value))]
        return [mlm.Finding("return-negative", title, "risk", advice=_break_even(cost, value))]


def _break_even(cost: float, value: float) -> str:
    if value <= 0:
        return "no number of requests pays for it at this value per request"
    return f"it pays from {cost / value:,.0f} requests a month"
