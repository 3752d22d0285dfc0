"""What is served, what was asked and answered, and what monitors measured of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen

from mlm_registry.rows import Table, as_json, as_tuple


@frozen
class Arm:
    """A model version's share of a deployment's traffic, 0 to 1."""

    node: int
    share: float


@frozen
class Deployment:
    """One revision of what a deployment should serve."""

    name: str
    arms: tuple[Arm, ...]
    by: str
    reason: str
    at: float = 0.0
    revision: int = 0


@frozen
class Observation:
    """What a deployment's endpoint last said of itself."""

    deployment: str
    revision: int
    url: str
    pid: int
    arms: tuple[Arm, ...] = ()
    error: str | None = None
    heartbeat: float = 0.0


@frozen
class SignalRow:
    """One monitored value of one arm over one window of exchanges."""

    deployment: str
    metric: str
    value: float | None
    node: int | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None
    unit: str = ""
    coverage: float | None = None
    at: float = 0.0
    id: int = 0


@frozen
class Exchange:
    """One request and its response, as the gateway saw them."""

    id: str
    deployment: str
    revision: int
    node: int
    route: str
    at: float
    request: Mapping[str, Any]
    prompt: str
    response: str = ""
    status: int = 200
    error: str | None = None
    finish_reason: str = ""
    latency_seconds: float = 0.0
    first_token_seconds: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    guards: tuple[Mapping[str, Any], ...] = ()

    @property
    def outcome(self) -> Literal["answered", "failed", "abandoned", "mistaken"]:
        """How it ended: a client's mistake (4xx) is `mistaken`, one who did not wait (499) is `abandoned`.

        A service that is too busy (429) has `failed`, as one that errs (5xx) has.
        """
        if self.status == 499:
            return "abandoned"
        if self.status == 429 or self.status >= 500:
            return "failed"
        return "mistaken" if self.status >= 400 else "answered"


@frozen
class Feedback:
    """What a person said of a response: rating 1 or -1, and the right answer if given."""

    exchange: str
    rating: int
    correction: str | None = None
    by: str = ""
    at: float = 0.0
    id: int = 0


def _arms(text: str) -> tuple[Arm, ...]:
    return tuple(Arm(**arm) for arm in json.loads(text))


DEPLOYMENTS = Table("deployments", Deployment, arms=_arms)
OBSERVATIONS = Table("observations", Observation, arms=_arms)
SIGNALS = Table("signals", SignalRow)
EXCHANGES = Table("exchanges", Exchange, request=as_json, guards=as_tuple)
FEEDBACK = Table("feedback", Feedback)
