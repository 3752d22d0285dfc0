"""What a model is for, and what a review says of it."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Task = Literal["chat", "completion", "summarization", "code", "vision"]


@frozen
class Problem:
    """The `[problem]` table: what the model is for, for whom, and what must not happen."""

    name: str
    """Name of the whole project, as reports and cards show it."""
    task: Task
    """What it does: risks, cards and reviews go by it."""
    purpose: str
    """What it is for, and for whom, in a sentence."""
    owner: str = ""
    """Who answers for it."""
    risk_tier: str = ""
    """By the EU AI Act: minimal, limited or high."""
    abuse: tuple[str, ...] = ()
    """What it could be misused for."""
    constraints: tuple[str, ...] = ()
    """What it must keep to."""
    languages: tuple[str, ...] = ("en",)
    """Languages that it reads and writes."""
    license: str = ""
    """Under which its weights are given away, as the Hub writes it: apache-2.0."""
    value_per_request_usd: float | None = None
    """What one answered request is worth; for the return on investment."""
    requests_per_month: float | None = None
    """How many are expected."""
    cost_per_cpu_hour_usd: float = 0.04
    """Price of one core for one hour; 0.04 is about what clouds ask for a general-purpose core."""


@frozen
class Finding:
    """One remark of a review: a gap, a risk with its named category, or an expectation."""

    code: str
    """A stable word for it, for programs."""
    title: str
    """What was found, in a line."""
    severity: Literal["note", "gap", "risk", "error"]
    """An `error` makes `mlm review` end with exit code 1."""
    category: str = ""
    """Name of the risk, in the words of its source."""
    advice: str = ""
    """What to do."""
    source: str = ""
    """Law, standard or paper that asks for it."""
