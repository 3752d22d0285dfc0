"""Gives a new version a little traffic, then more, as long as its requirements hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import Attribute, define, validators

import mlm
from mlm_registry import Arm


def _rising_percent(instance: object, attribute: Attribute[Any], value: list[float]) -> None:
    if not value or value != sorted(set(value)) or value[0] <= 0 or value[-1] != 100:
        raise ValueError(f"{attribute.name} must rise to 100 percent, such as [5, 25, 100]; got {value}")


@define(kw_only=True)
class Canary:
    """Moves traffic to a candidate share by share; rolls back on the first failure.

    A share is judged on its first `min_samples` requests, then on twice as many, four times and so on: looking at each
    request until one look fails or passes would find by chance what is not there.
    """

    shares: list[float] = mlm.setting(
        factory=lambda: [5, 25, 100], validator=_rising_percent, unit="percent", help="the candidate's shares in turn"
    )
    min_samples: int = mlm.setting(
        50, validator=validators.ge(1), unit="requests", help="the candidate's requests before a share is judged"
    )

    @mlm.hookimpl
    def mlm_rollout(self, context: mlm.Context) -> mlm.Rollout:
        return StickyCanary(tuple(share / 100 for share in self.shares), self.min_samples)


@define(frozen=True)
class StickyCanary:
    """Routes by a hash of the key, and judges the candidate's own traffic."""

    shares: tuple[float, ...]
    min_samples: int

    @property
    def first_share(self) -> float:
        return self.shares[0]

    def route(self, key: str, arms: Sequence[Arm]) -> Arm:
        """Choose an arm by the place of the key's hash on the cumulated shares.

        A key moves only between arms whose border moved over it: who met the candidate at 5 % still does at 25 %.
        """
        serving = sorted((arm for arm in arms if arm.share > 0), key=lambda arm: arm.node)
        point = _point(key) * sum(arm.share for arm in serving)
        for arm in serving:
            point -= arm.share
            if point < 0:
                return arm
        return serving[-1]

    def judged(self, requests: int) -> int:
        """Return the last count at which a share is judged: `min_samples` times a power of two, or all below it."""
        if requests < self.min_samples:
            return requests
        return self.min_samples << (requests // self.min_samples).bit_length() - 1

    def judge(self, stage: mlm.Stage) -> mlm.Move:
        """Return the next move: back on any failure, on without one, to 100 % on nothing but passes."""
        seen = stage.requests.get(stage.candidate, 0)
        if seen < self.min_samples:
            return mlm.Move("hold", stage.share, f"{seen} of {self.min_samples} requests at {stage.share:.0%}")
        failed = [verdict for verdict in stage.verdicts if verdict.outcome == "fail"]
        if failed:
            return mlm.Move("rollback", 0.0, "; ".join(verdict.reason for verdict in failed))
        following = next((share for share in self.shares if share > stage.share), 1.0)
        if following < 1:
            return mlm.Move("advance", following, f"nothing failed in {seen} requests at {stage.share:.0%}")
        open_ = [verdict for verdict in stage.verdicts if not verdict.passed]
        if open_ or not stage.verdicts:
            reasons = "; ".join(verdict.reason for verdict in open_) or "no requirement was judged"
            return mlm.Move("hold", stage.share, f"100 % needs every requirement to pass: {reasons}")
        if stage.share < 1:
            return mlm.Move("advance", 1.0, f"every requirement passed in {seen} requests at {stage.share:.0%}")
        return mlm.Move("finish", 1.0, f"every requirement passed in {seen} requests at 100%")


def _point(key: str) -> float:
    """Return a point in [0, 1) that depends on the key alone, evenly spread (53 bits of BLAKE3)."""
    from blake3 import blake3

    return (int.from_bytes(blake3(key.encode()).digest(8), "big") >> 11) / 2**53
