"""Copies, near copies and leaked rows are removed, and what they copy is named."""

from __future__ import annotations

import random
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.transforms.decontaminate import Decontaminate
from mlm_plugins.transforms.exact import Exact
from mlm_plugins.transforms.minhash import MinHash


def details(made: mlm.Dataset) -> dict[str, str]:
    return {row["row_id"]: row["detail"] for row in made.removed()}


def ids(made: mlm.Dataset) -> list[str]:
    return [row["row_id"] for row in made.rows()]


def test_exact_copies_are_removed_whatever_their_case_and_spaces(apply: Any) -> None:
    made = apply(Exact(), {"text": ["One  two", "one two", "three", "ONE\ttwo ", "one two."]})

    assert details(made) == {"r1": "same as r0", "r3": "same as r0"}


def test_exact_compares_all_text_columns_unless_told_otherwise(apply: Any) -> None:
    rows = {"prompt": ["a b", "a", "a b"], "completion": ["c", "b c", "d"]}

    assert details(apply(Exact(), rows)) == {}
    assert details(apply(Exact(columns=["prompt"]), rows)) == {"r2": "same as r0"}
    with pytest.raises(mlm.ProjectError, match="no column 'promt'"):
        apply(Exact(columns=["promt"]), rows)


def jaccard(one: str, other: str, size: int = 5) -> float:
    folded = [" ".join(text.casefold().split()) for text in (one, other)]
    sets = [{t[i : i + size] for i in range(len(t) - size + 1)} or {t} for t in folded]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def greedy(texts: list[str], threshold: float) -> list[int]:
    """Keep each text that is near no kept text: what MinHash approximates, pair by pair."""
    kept: list[int] = []
    for place, text in enumerate(texts):
        if all(jaccard(text, texts[other]) < threshold for other in kept):
            kept.append(place)
    return kept


def near_copies(seed: int) -> list[str]:
    """Sentences and copies of them with a few letters changed."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randint(2, 9))) for _ in range(200)]
    texts = [" ".join(chance.choices(words, k=30)) for _ in range(60)]
    for text in chance.sample(texts, 40):
        letters = list(text)
        for place in chance.sample(range(len(letters)), chance.randint(0, 6)):
            letters[place] = "z"
        texts.append("".join(letters))
    return chance.sample(texts, len(texts))


@pytest.mark.parametrize("threshold", [0.6, 0.85, 1.0])
def test_minhash_finds_what_comparing_all_pairs_finds(apply: Any, threshold: float) -> None:
    texts = near_copies(seed=3)

    made = apply(MinHash(threshold=threshold), {"text": texts})

    assert ids(made) == [f"r{place}" for place in greedy(texts, threshold)]


def test_minhash_names_the_kept_row_and_the_similarity(apply: Any) -> None:
    texts = ["The festival of Velmara is Kite Morning.", "What else?", "The  festival of VELMARA is Kite Morning!"]

    made = apply(MinHash(), {"text": texts})

    # 36 runs of 5 characters in each, 35 of them common: 35 / 37.
    assert details(made) == {"r2": f"near r0, similarity {35 / 37:.3f}"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.lists(st.text("ab ", max_size=12), min_size=1, max_size=12), st.sampled_from([0.3, 0.8]))
def test_every_removed_row_is_near_a_kept_row_before_it(apply: Any, texts: list[str], threshold: float) -> None:
    made = apply(MinHash(threshold=threshold, shingle=3), {"text": texts})

    kept = ids(made)
    for row_id, detail in details(made).items():
        first = detail.split()[1].rstrip(",")
        assert first in kept
        assert int(first[1:]) < int(row_id[1:])
        assert jaccard(texts[int(first[1:])], texts[int(row_id[1:])], 3) >= threshold


def test_minhash_compares_short_and_empty_texts(apply: Any) -> None:
    assert details(apply(MinHash(), {"text": ["", "ab", "AB", "", "abc"]})).keys() == {"r2", "r3"}


def test_decontamination_names_the_evaluation_row(apply: Any, store: Any) -> None:
    held_out = evolve(store({"prompt": ["What is X?", "Who is Y?", "..."]}), ref="quality@2")
    texts = evolve(store({"text": ["A held-out text."]}), ref="texts@1")

    made = apply(
        Decontaminate(against=[held_out, texts]),
        {"prompt": ["what is  X", "Where is X?", "who is y", "!!!", "a held out text"], "completion": ["a"] * 5},
    )

    assert details(made) == {
        "r0": "holds all 3 words of row r0 of quality@2",
        "r2": "holds all 3 words of row r1 of quality@2",
        "r4": "holds all 4 words of row r0 of texts@1",
    }
