"""What a perturbation may and may not change."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm_plugins.evaluators.perturbations import PERTURBATIONS, case, punctuation, spaces, typo

PROMPTS = st.text(st.characters(codec="ascii"), max_size=60)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_every_perturbation_changes_an_ordinary_question(name: str) -> None:
    question = "What is the capital of Velmara?"

    assert all(PERTURBATIONS[name](question, Random(seed)) != question for seed in range(50))


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_the_same_seed_gives_the_same_change(name: str) -> None:
    change = PERTURBATIONS[name]

    assert change("Name the flag of Orduin.", Random(4)) == change("Name the flag of Orduin.", Random(4))


@given(PROMPTS, st.integers(0, 99))
def test_a_typo_keeps_the_letters_and_the_words(text: str, seed: int) -> None:
    changed = typo(text, Random(seed))

    assert sorted(changed) == sorted(text)
    assert [len(word) for word in changed.split()] == [len(word) for word in text.split()]
    assert [word[:1] + word[-1:] for word in changed.split()] == [word[:1] + word[-1:] for word in text.split()]


@given(PROMPTS, st.integers(0, 99))
def test_case_and_spaces_keep_everything_else(text: str, seed: int) -> None:
    assert case(text, Random(seed)).lower() == text.lower()
    assert spaces(text, Random(seed)).split() == text.split()


@given(PROMPTS, st.integers(0, 99))
def test_punctuation_touches_the_end_alone(text: str, seed: int) -> None:
    assert punctuation(text, Random(seed)).rstrip(" .?!") == text.rstrip(" .?!")
