"""A requirement judges by the whole interval: pass, fail, or inconclusive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm.requirements import Requirement, requirements_digest
from mlm.verdicts import Verdict, all_of

numbers = st.floats(-1e6, 1e6)
intervals = st.lists(numbers, min_size=3, max_size=3).map(sorted)
RANK = {"fail": 0, "inconclusive": 1, "pass": 2}


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.85, 0.95, "pass"), (0.8, 0.9, "pass"), (0.79, 0.9, "inconclusive"), (0.7, 0.8, "inconclusive"),
        (0.7, 0.79, "fail"),
    ],
)  # fmt: skip
def test_a_lower_bound_wants_the_whole_interval_above_it(low: float, high: float, outcome: str) -> None:
    assert Requirement("useful", "exact_match", min=0.8).judge((low + high) / 2, low, high).outcome == outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.01, 0.05, "pass"), (0.05, 0.1, "pass"), (0.05, 0.11, "inconclusive"), (0.1, 0.2, "inconclusive"),
        (0.11, 0.2, "fail"),
    ],
)  # fmt: skip
def test_an_upper_bound_wants_the_whole_interval_below_it(low: float, high: float, outcome: str) -> None:
    assert Requirement("true", "hallucination_rate", max=0.1).judge((low + high) / 2, low, high).outcome == outcome


@given(intervals, numbers)
def test_a_value_never_meets_two_bounds_that_exclude_each_other(interval: list[float], bound: float) -> None:
    low, value, high = interval
    above = Requirement("a", "m", min=bound).judge(value, low, high).outcome
    below = Requirement("b", "m", max=bound).judge(value, low, high).outcome

    assert (above == "fail") <= (below == "pass")
    assert (below == "fail") <= (above == "pass")
    if low < high:
        assert {above, below} != {"pass"}


@given(intervals, numbers, numbers)
def test_a_stricter_bound_is_never_easier_to_meet(interval: list[float], a: float, b: float) -> None:
    low, value, high = interval
    loose, strict = sorted((a, b))

    def at_least(bound: float) -> int:
        return RANK[Requirement("a", "m", min=bound).judge(value, low, high).outcome]

    def at_most(bound: float) -> int:
        return RANK[Requirement("a", "m", max=bound).judge(value, low, high).outcome]

    assert at_least(strict) <= at_least(loose)
    assert at_most(loose) <= at_most(strict)


@given(intervals, numbers)
def test_a_wider_interval_never_turns_a_doubt_into_certainty(interval: list[float], bound: float) -> None:
    low, value, high = interval
    requirement = Requirement("a", "m", min=bound)

    narrow = requirement.judge(value, low, high).outcome
    wide = requirement.judge(value, low - 1, high + 1).outcome

    assert wide in (narrow, "inconclusive")


@given(numbers, numbers)
def test_a_value_without_interval_is_its_own_interval(value: float, bound: float) -> None:
    outcome = Requirement("a", "m", min=bound).judge(value, None, None).outcome

    assert outcome == ("pass" if value >= bound else "fail")


def test_what_was_not_measured_is_inconclusive() -> None:
    verdict = Requirement("useful", "exact_match", min=0.8).judge(None, None, None)

    assert (verdict.outcome, verdict.code) == ("inconclusive", "not-measured")


def test_a_verdict_tells_value_interval_and_bound() -> None:
    verdict = Requirement("useful", "exact_match", min=0.8).judge(0.9, 0.85, 0.94, by="quality")

    assert verdict.reason == "useful: exact_match 0.9 [0.85, 0.94], required >= 0.8"
    assert (verdict.code, verdict.low, verdict.high, verdict.by) == ("met", 0.85, 0.94, "quality")


def test_the_digest_of_requirements_follows_the_numbers_and_not_their_order() -> None:
    useful, true = Requirement("useful", "exact_match", min=0.8), Requirement("true", "hallucination_rate", max=0.1)

    assert requirements_digest([useful, true]) == requirements_digest([true, useful])
    assert requirements_digest([useful, true]) != requirements_digest(
        [Requirement("useful", "exact_match", min=0.81), true]
    )
    assert requirements_digest([useful]) != requirements_digest([Requirement("useful", "exact_match", max=0.8)])


def test_the_worst_verdict_wins_and_none_at_all_is_a_failure() -> None:
    passed, unsure, failed = (Verdict(outcome, outcome, outcome) for outcome in ("pass", "inconclusive", "fail"))

    assert all_of([passed, passed]).outcome == "pass"
    assert all_of([passed, unsure]).outcome == "inconclusive"
    assert all_of([unsure, failed, passed]).outcome == "fail"
    assert all_of([]).outcome == "fail"
