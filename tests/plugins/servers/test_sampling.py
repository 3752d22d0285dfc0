from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlm
from mlm_plugins.servers.sampling import Chooser, nucleus

rows = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=12).map(lambda row: np.array(row, np.float32))


def share(logits: Any, temperature: float, top_p: float) -> dict[int, float]:
    """Nucleus sampling by its definition, one token at a time."""
    weights = np.exp(np.asarray(logits, float) / temperature - max(logits) / temperature)
    probabilities = weights / weights.sum()
    kept: dict[int, float] = {}
    for token in sorted(range(len(logits)), key=lambda token: -probabilities[token]):
        if sum(kept.values()) >= top_p - 1e-12 and kept:
            break
        kept[token] = float(probabilities[token])
    return {token: value / sum(kept.values()) for token, value in kept.items()}


@given(rows, st.floats(0.1, 3), st.floats(0.05, 1), st.floats(0, 1, exclude_max=True))
def test_a_drawn_token_is_in_the_nucleus(logits: Any, temperature: float, top_p: float, draw: float) -> None:
    # 1e-9 above: a sum of probabilities may fall on either side of top_p by rounding.
    assert nucleus(logits, temperature, top_p, draw) in share(logits, temperature, min(1.0, top_p + 1e-9))


def test_shares_of_drawn_tokens_follow_the_renormalised_softmax() -> None:
    logits = np.array([2.0, 1.0, 0.5, -1.0, 0.9], np.float32)
    draws = (np.arange(100_000) + 0.5) / 100_000  # a grid: shares are exact up to one cell a token
    tokens = np.bincount([nucleus(logits, 0.7, 0.9, draw) for draw in draws], minlength=5) / len(draws)

    assert {token: pytest.approx(value, abs=1e-4) for token, value in share(logits, 0.7, 0.9).items()} == {
        token: value for token, value in enumerate(tokens) if value
    }


@given(rows)
def test_temperature_zero_takes_the_first_of_the_likeliest(logits: Any) -> None:
    chosen = Chooser(mlm.Sampling(temperature=0)).choose(logits)

    assert chosen == min(token for token, value in enumerate(logits) if value == max(logits))


def test_a_tiny_top_p_is_greedy() -> None:
    logits = np.array([0.1, 0.2, 0.15], np.float32)

    assert {nucleus(logits, 1.0, 1e-9, draw) for draw in (0.0, 0.5, 0.999999)} == {1}


def test_equal_seeds_draw_equal_tokens_and_an_index_keeps_samples_apart() -> None:
    logits = np.zeros(1000, np.float32)
    sampling = mlm.Sampling(temperature=1.0, seed=7)

    def draws(index: int) -> list[int]:
        chooser = Chooser(sampling, index)
        return [chooser.choose(logits) for _ in range(20)]

    assert draws(0) == draws(0)
    assert draws(0) != draws(1)
