"""How a canary routes, and when it moves."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlm
from mlm.measures import proportion
from mlm.requirements import Requirement
from mlm_plugins.rollouts.canary import Canary
from mlm_registry import Arm

KEYS = [f"user-{n}" for n in range(4000)]


def rollout(**settings: Any) -> mlm.Rollout:
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    context = mlm.Context(folder=Path(), work=Path(), project=Path(), problem=problem)
    return Canary(**settings).mlm_rollout(context=context)


def arms(share: float) -> list[Arm]:
    return [Arm(1, 1 - share), Arm(2, share)]


def judge(share: float, outcomes: list[Any], requests: int = 100, **settings: Any) -> mlm.Move:
    verdicts = tuple(mlm.Verdict(outcome, outcome, f"is {outcome}") for outcome in outcomes)
    return rollout(**settings).judge(mlm.Stage(1, 2, share, {2: requests}, verdicts))


@given(st.text(), st.floats(0, 1))
def test_a_key_always_meets_the_same_arm(key: str, share: float) -> None:
    first = rollout().route(key, arms(share))

    assert rollout().route(key, arms(share)[::-1]) == first


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_each_arm_gets_its_share_of_the_keys(share: float) -> None:
    count = Counter(rollout().route(key, arms(share)).node for key in KEYS)

    # Four standard deviations of a binomial of 4000.
    assert count[2] / len(KEYS) == pytest.approx(share, abs=4 * (share * (1 - share) / len(KEYS)) ** 0.5)


def test_who_met_the_candidate_still_does_when_its_share_grows() -> None:
    met = [{key for key in KEYS if rollout().route(key, arms(share)).node == 2} for share in (0.05, 0.25, 1.0)]

    assert met[0] < met[1] < met[2] == set(KEYS)


@given(st.text())
def test_an_arm_without_a_share_gets_nothing(key: str) -> None:
    thirds = [Arm(1, 0.7), Arm(2, 0.2), Arm(3, 0.1), Arm(4, 0.0)]

    assert rollout().route(key, thirds).node != 4
    assert rollout().route(key, [Arm(9, 0.0), Arm(1, 1.0)]).node == 1


@pytest.mark.parametrize(
    ("share", "outcomes", "requests", "action", "next_share"),
    [
        (0.05, ["pass", "fail"], 100, "rollback", 0.0),
        (0.05, ["fail"], 49, "hold", 0.05),
        (0.05, ["fail"], 50, "rollback", 0.0),
        (1.0, ["fail"], 100, "rollback", 0.0),
        (0.05, ["pass"], 49, "hold", 0.05),
        (0.05, ["pass"], 50, "advance", 0.25),
        (0.05, ["inconclusive"], 50, "advance", 0.25),
        (0.05, [], 50, "advance", 0.25),
        (0.25, ["pass", "inconclusive"], 100, "hold", 0.25),
        (0.25, [], 100, "hold", 0.25),
        (0.25, ["pass", "pass"], 100, "advance", 1.0),
        (1.0, ["pass"], 49, "hold", 1.0),
        (1.0, ["inconclusive"], 100, "hold", 1.0),
        (1.0, ["pass"], 100, "finish", 1.0),
    ],
)
def test_a_stage_is_judged(share: float, outcomes: list[str], requests: int, action: str, next_share: float) -> None:
    move = judge(share, outcomes, requests)

    assert (move.action, move.share) == (action, next_share)
    assert move.reason


def test_looks_double() -> None:
    looks = rollout(min_samples=20).judged  # type: ignore[attr-defined]

    assert {n: looks(n) for n in (0, 19, 20, 39, 40, 79, 80, 1000)} == {
        0: 0, 19: 19, 20: 20, 39: 20, 40: 40, 79: 40, 80: 80, 1000: 640,
    }  # fmt: skip


def fates(rate: float, bound: float, lives: int = 400) -> Counter[str]:
    """Ask after each of 2000 requests how a candidate that errs at a rate fares in its last stage."""
    chance, canary = Random(1), rollout(min_samples=50)
    requirement = Requirement("reliable", "error_rate", max=bound)
    count: Counter[str] = Counter()
    for _ in range(lives):
        errors = [0, *accumulate(chance.random() < rate for _ in range(2000))]
        for look in sorted({canary.judged(n) for n in range(50, 2001)}):  # type: ignore[attr-defined]
            measure = proportion("error_rate", errors[look], look)
            verdict = requirement.judge(measure.value, measure.low, measure.high)
            move = canary.judge(mlm.Stage(1, 2, 0.25, {2: look}, (verdict,)))
            if move.action != "hold":
                count[move.action] += 1
                break
    return count


@pytest.mark.parametrize("bound", [0.01, 0.05, 0.1])
def test_a_good_candidate_is_seldom_rolled_back_and_one_at_the_bound_seldom_takes_all(bound: float) -> None:
    # Looking at each request rolled back 7 to 10 % of the good ones, and let 19 % of those at the bound take all.
    assert fates(bound / 2, bound)["rollback"] <= 0.05 * 400
    assert fates(bound, bound)["advance"] <= 0.12 * 400


def test_a_candidate_that_passes_reaches_all_traffic_and_stays() -> None:
    share, seen = rollout().first_share, []
    for _ in range(4):
        move = judge(share, ["pass"])
        share = move.share
        seen.append((move.action, move.share))

    assert seen == [("advance", 0.25), ("advance", 1.0), ("finish", 1.0), ("finish", 1.0)]


def test_another_arms_requests_do_not_count() -> None:
    stage = mlm.Stage(1, 2, 0.05, {1: 1000, 2: 3}, (mlm.Verdict("pass", "c", "r"),))

    assert rollout().judge(stage).reason == "3 of 50 requests at 5%"


@pytest.mark.parametrize("shares", [[], [5, 25], [25, 5, 100], [5, 5, 100], [0, 100], [5, 100, 120]])
def test_shares_must_rise_to_all_traffic(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="must rise to 100 percent"):
        Canary(shares=shares)
