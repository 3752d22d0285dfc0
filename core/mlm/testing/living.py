"""What monitors, improvers and triggers keep to."""

from __future__ import annotations

import math
import time

from mlm.intent import Living, Signal, Window
from mlm.measures import Measure
from mlm.testing.bench import Bench
from mlm.testing.checking import check, demand, demand_its_word
from mlm.verdicts import Verdict
from mlm_registry import Exchange, Feedback, ModelVersion, Node

_DAY = 86_400.0


@check("monitors")
def measures_only_what_it_announced(bench: Bench) -> None:
    """Signals are of metrics that `metrics` names, and their values are numbers or None."""
    plugin = bench.plugin()
    demand(bool(plugin.metrics), "`metrics` is empty; without it no requirement can be watched")
    found = [(window, signal) for window in windows() for signal in plugin.signals(window, bench.context())]
    demand(any(signal.measure.value is not None for _, signal in found), "it measured nothing, of 120 exchanges either")
    for window, signal in found:
        measure = signal.measure
        demand_its_word([measure], plugin.metrics)
        demand(signal.deployment == window.deployment, f"a signal is of deployment {signal.deployment!r}")
        value = measure.value
        demand(value is None or math.isfinite(value), f"{measure.metric} is {value}; None stands for 'not measured'")
        if value is not None and measure.low is not None and measure.high is not None:
            inside = measure.low - 1e-9 <= value <= measure.high + 1e-9
            demand(inside, f"{measure.metric} = {value} lies outside [{measure.low}, {measure.high}]")


@check("monitors")
def measures_the_same_again(bench: Bench) -> None:
    """The same window gives the same signals."""
    for window in windows():
        first, second = (bench.plugin().signals(window, bench.context()) for _ in range(2))
        demand(first == second, "the same window gave other signals; draw chance from context.seed alone")


@check("improvers")
def proposes_nothing_without_a_reason(bench: Bench) -> None:
    """Without a signal and without a visitor it proposes nothing."""
    proposal = bench.plugin().improve([], windows()[0], bench.context())
    demand(proposal is None, f"nobody asked anything, and it proposes {proposal and proposal.title!r}")


@check("improvers")
def says_what_it_would_do_and_why(bench: Bench) -> None:
    """A proposal has a title, a reason and a plan that people can judge."""
    window = windows()[-1]
    low = Measure("complaint_rate", 0.66, 120, 0.57, 0.74)
    signals = [Signal(low, "api", 1, Verdict("fail", "too-high", "visitors complain"))]
    proposal = bench.plugin().improve(signals, window, bench.context())
    if proposal is not None:
        demand(
            bool(proposal.title and proposal.reason and proposal.plan), "its proposal lacks a title, a reason or a plan"
        )
        demand(bool(proposal.add or proposal.set), "its proposal changes nothing")


@check("triggers")
def assesses_any_version(bench: Bench) -> None:
    """A young and an old version, with traffic and without, get a verdict with code and reason."""
    node = Node("chat", "model", "0" * 64, id=1, version=1)
    for share, age in ((1.0, 0.0), (0.0, 400 * _DAY), (0.5, _DAY)):
        living = Living(ModelVersion(node, "approved"), share, age_seconds=age)
        first, second = (bench.plugin().assess(living, bench.context()) for _ in range(2))
        demand(first == second, f"the same version got {first.outcome}, then {second.outcome}")
        demand(first.passed or bool(first.code and first.reason), f"it says {first.outcome} without code and reason")


def windows() -> list[Window]:
    """Make windows: nobody came, a few, many with complaints and corrections."""
    now = time.time()
    asked = tuple(
        Exchange(
            f"chatcmpl-{n}", "api", 1, 1, "chat", now - n, {"user": f"visitor {n % 7}"}, f"What is {n}?", f"It is {n}.",
            latency_seconds=0.1 + n / 1000, first_token_seconds=0.05, prompt_tokens=5, completion_tokens=5,
        )
        for n in range(120)
    )  # fmt: skip
    rated = {
        one.id: Feedback(one.id, -1 if n % 3 else 1, f"No, it is {n + 1}." if n % 3 else None, f"visitor {n % 7}", now)
        for n, one in enumerate(asked)
    }
    return [Window("api", ()), Window("api", asked[:5]), Window("api", asked, rated, 1)]
