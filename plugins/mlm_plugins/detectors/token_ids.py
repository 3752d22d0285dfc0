"""Where an answer lies in the tokens of a conversation."""

from __future__ import annotations

from collections.abc import Container, Sequence


def shared(some: Sequence[int], others: Sequence[int]) -> int:
    """Count the tokens that two sequences have in common from their start."""
    pairs = zip(some, others, strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(some), len(others)))


def ended(ids: list[int], given: int, eos_ids: Container[int]) -> list[int]:
    """Return ids up to the first after `given` that ends an answer: a chat template goes on with the next turn."""
    return ids[: next((place for place, id in enumerate(ids, 1) if place > given and id in eos_ids), len(ids))]
