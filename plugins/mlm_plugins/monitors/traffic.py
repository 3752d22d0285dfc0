"""What the endpoint does: load, errors, speed, cost, refusals, feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import define

import mlm
from mlm.measures import proportion, quantile, ratio
from mlm_plugins.detectors.refusals import is_refusal
from mlm_registry import Exchange, Feedback


@define(kw_only=True)
class Traffic:
    """Counts, rates, latencies and cost of the exchanges of a window.

    An exchange with a 4xx status, a client's mistake, counts in `requests` and nowhere else. Two are no mistakes: 429
    is an error, for the service turned a client away, and of 499, a client that left, the time that it waited is in the
    latencies, and nothing else counts. A 5xx status is an error, also that of a timeout (504). Errors are in the
    denominator of `error_rate`, but have no latency, cost or refusal.
    """

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("requests", "", "neither", "exchanges in the window"),
        mlm.MetricSpec(
            "error_rate",
            "share",
            "lower",
            "exchanges that failed or were turned away, of those without a client's mistake and waited for",
        ),
        mlm.MetricSpec("latency_p50_seconds", "seconds", "lower", "median time to the whole response, or to giving up"),
        mlm.MetricSpec("latency_p95_seconds", "seconds", "lower", "95th percentile of the same time"),
        mlm.MetricSpec("tokens", "tokens", "neither", "tokens of prompts and responses"),
        mlm.MetricSpec("cost_per_1k_tokens_usd", "USD", "lower", "serving cost of 1000 new tokens"),
        mlm.MetricSpec("refusal_share", "share", "neither", "responses that decline"),
        mlm.MetricSpec("guard_hit_rate", "share", "neither", "exchanges that a guard blocked or redacted"),
        mlm.MetricSpec("negative_feedback_rate", "share", "lower", "rated responses that were rated down"),
        mlm.MetricSpec("feedback_rate", "share", "neither", "responses that somebody rated"),
    )

    @mlm.hookimpl
    def mlm_measure(self, window: mlm.Window, context: mlm.Context) -> list[mlm.Signal]:
        valid = [one for one in window.exchanges if one.outcome in ("answered", "failed")]
        answered = [one for one in valid if one.outcome == "answered"]
        latencies = [one.latency_seconds for one in window.exchanges if one.outcome in ("answered", "abandoned")]
        measures = [
            mlm.Measure("requests", float(len(window.exchanges)), len(window.exchanges)),
            proportion("error_rate", len(valid) - len(answered), len(valid)),
            quantile("latency_p50_seconds", latencies, 0.5, unit="seconds"),
            quantile("latency_p95_seconds", latencies, 0.95, unit="seconds"),
            _tokens(valid),
            _cost(answered, context.seed),
            proportion("refusal_share", sum(is_refusal(one.response) for one in answered), len(answered)),
            proportion("guard_hit_rate", sum(map(_guarded, valid)), len(valid)),
            *_feedback(valid, window.feedback),
        ]
        return [mlm.Signal(measure, window.deployment, window.node) for measure in measures]


def _guarded(exchange: Exchange) -> bool:
    return any(hit.get("action") in ("block", "redact") for hit in exchange.guards)


def _tokens(exchanges: Sequence[Exchange]) -> mlm.Measure:
    if not exchanges:
        return mlm.Measure("tokens", None, 0, unit="tokens")
    total = sum(one.prompt_tokens + one.completion_tokens for one in exchanges)
    return mlm.Measure("tokens", float(total), len(exchanges), unit="tokens")


def _cost(exchanges: Sequence[Exchange], seed: int) -> mlm.Measure:
    """Measure cost of all exchanges over tokens of all."""
    made = [one for one in exchanges if one.completion_tokens]
    costs = [1000 * one.cost_usd for one in made]
    return ratio("cost_per_1k_tokens_usd", costs, [one.completion_tokens for one in made], unit="USD", seed=seed)


def _feedback(exchanges: Sequence[Exchange], feedback: Mapping[str, Feedback]) -> list[mlm.Measure]:
    here = [feedback[one.id] for one in exchanges if one.id in feedback]
    negative = sum(one.rating < 0 for one in here)
    note = "of those who rated; people rate what annoys them"
    return [
        proportion("negative_feedback_rate", negative, len(here), note=note),
        proportion("feedback_rate", len(here), len(exchanges)),
    ]
