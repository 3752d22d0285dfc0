"""MinHash estimates what the exact Jaccard similarity says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm_plugins.detectors.shingles import MinHasher, banding, folded, jaccard, shingles

texts = st.text("abc \u00e9\U0001f600", max_size=40)


def exact(one: str, other: str, size: int) -> float:
    sets = [{t[i : i + size] for i in range(len(t) - size + 1)} or {t} for t in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@given(texts, texts, st.integers(1, 6))
def test_jaccard_equals_that_of_sets_of_strings(one: str, other: str, size: int) -> None:
    assert jaccard(shingles(one, size), shingles(other, size)) == exact(one, other, size)


@given(st.lists(texts, min_size=1, max_size=6))
def test_a_signature_does_not_depend_on_the_other_texts(many: list[str]) -> None:
    hasher = MinHasher(16, 3)

    together = hasher.sign(many)
    alone = np.concatenate([hasher.sign([text]) for text in many])

    assert np.array_equal(together, alone)


def test_no_texts_have_no_signatures() -> None:
    assert MinHasher(16, 3).sign([]).shape == (0, 16)


def test_signatures_agree_in_the_share_of_common_shingles() -> None:
    random = np.random.default_rng(5)
    errors = []
    for _ in range(40):
        letters = "".join(random.choice(list("abcdefghij"), 400))
        other = letters[: random.integers(150, 400)] + "".join(random.choice(list("klmnop"), 100))
        signs = MinHasher(512, 5).sign([letters, other])
        errors.append(float((signs[0] == signs[1]).mean()) - exact(letters, other, 5))

    # An estimate of 512 permutations errs by at most sqrt(.25 / 512) = .022; the mean of 40 by .0035; 4 sigma.
    assert abs(np.mean(errors)) < 0.014
    assert np.std(errors) < 0.03


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.85, 0.95, 1.0])
def test_the_bands_catch_a_pair_at_the_threshold(threshold: float) -> None:
    bands, rows = banding(threshold, 128)

    assert bands * rows <= 128
    assert 1 - math.prod([1 - threshold**rows] * bands) >= 0.999


def test_folding_forgets_case_and_white_space_only() -> None:
    assert folded("  Straße\t\nA  b ") == "strasse a b"
