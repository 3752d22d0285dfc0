"""What a check is: a function that takes a bench, and raises Broken with what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module

from attrs import frozen

from mlm.announcing import broken_word
from mlm.measures import Measure, MetricSpec
from mlm.testing.bench import Bench

ANY = "any"
"""Kind of the checks that every plugin must pass."""
_HOMES = (
    "contract", "sources", "transforms", "trainers", "evaluators", "guards", "serving", "governing", "wrapping",
    "living", "targets",
)  # fmt: skip


class Broken(AssertionError):
    """A plugin does not keep to its kind's contract; the message says what was seen and what to do."""


class Untested(Exception):
    """A check has not looked, or could not tell: the message says what it would need. It is no pass."""


@frozen
class Check:
    """One thing that a plugin must keep to."""

    name: str
    """A few words, by which it is shown and expected to fail."""
    kind: str
    """Kind of the plugins that it is for, or `any`."""
    demand: str
    """What it demands, in a sentence."""
    run: Callable[[Bench], None]
    """Looks at the plugin of a bench; raises Broken, or Untested."""


_CHECKS: list[Check] = []


def check(*kinds: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Register a function as a check of some kinds; its name and docstring are what users see."""

    def register(function: Callable[[Bench], None]) -> Callable[[Bench], None]:
        demand = (function.__doc__ or "").strip().splitlines()[0]
        _CHECKS.extend(Check(function.__name__, kind, demand, function) for kind in kinds)
        return function

    return register


def checks_of(kind: str) -> list[Check]:
    """List the checks of a kind: first those of every plugin, then its own."""
    for home in _HOMES:
        import_module(f"mlm.testing.{home}")
    return [one for one in _CHECKS if one.kind in (ANY, kind)]


def demand(holds: bool, message: str) -> None:
    """Raise Broken unless something holds."""
    if not holds:
        raise Broken(message)


def demand_its_word(measures: Iterable[Measure], metrics: Sequence[MetricSpec]) -> None:
    """Raise Broken unless each measure is of a metric that was announced, and in its unit."""
    if wrong := broken_word(measures, metrics):
        raise Broken(": ".join(wrong))
