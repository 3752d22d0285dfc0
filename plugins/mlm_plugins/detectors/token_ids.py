"""Where an answer lies in the tokens of a conversation."""

from __future__ import annotations

from collections.abc import Container, Sequence

_BLOCK = 256
"""Tokens that are compared at once: one by one takes longer than to make them."""


def shared(some: Sequence[int], others: Sequence[int]) -> int:
    """Count the tokens that two sequences have in common from their start."""
    length = min(len(some), len(others))
    starts = range(0, length, _BLOCK)
    start = next((n for n in starts if some[n : n + _BLOCK] != others[n : n + _BLOCK]), length)
    return next((n for n in range(start, length) if some[n] != others[n]), length)


def ended(ids: list[int], given: int, eos_ids: Container[int]) -> list[int]:
    """Return ids up to the first after `given` that ends an answer: a chat template goes on with the next turn."""
    return ids[: next((place for place, id in enumerate(ids, 1) if place > given and id in eos_ids), len(ids))]
