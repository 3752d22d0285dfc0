"""Near texts are those that comparing sets of strings finds, and sketches estimate the same."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.benchmarks.near_texts import corpus, quality

from mlm_plugins.detectors.columns import utf8
from mlm_plugins.detectors.folding import folding
from mlm_plugins.detectors.kernels import digests, sketch, words_of
from mlm_plugins.detectors.near import NearTexts, banding

texts = st.text("abC \u00e9\u00c9\u3000\u6f22\U0001f600\n", max_size=40)


def shingles(text: str, size: int, words: bool) -> set[tuple[str, ...]]:
    text = text.lower()
    symbols = re.findall("[\u6f22]|[^\\s\u6f22]+", text) if words else list(" ".join(text.split()))
    return {tuple(symbols[i : i + size]) for i in range(len(symbols) - size + 1)} or {tuple(symbols)}


def jaccard(one: str, other: str, size: int, words: bool) -> float:
    first, second = (shingles(text, size, words) for text in (one, other))
    return len(first & second) / len(first | second)


def sketches(many: list[str], places: int, size: int, words: bool = False, seed: int = 0) -> np.ndarray:
    found = np.empty((len(many), places), np.uint32)
    sketch(*utf8(pa.array(many, pa.string())), folding(), words, size, seed, found)
    return found


def near(many: list[str], threshold: float, words: bool = True, size: int = 5) -> tuple[list[int], list[float]]:
    with TemporaryDirectory() as folder:
        found = NearTexts(folder=Path(folder), threshold=threshold, words=words, size=size, places=128)
        for start in range(0, len(many), 1000):
            found.add(pa.array(many[start : start + 1000], pa.string()))
        kept, similarity = found.find()
    return kept.tolist(), similarity.tolist()


@settings(deadline=None)
@given(texts, texts, st.integers(1, 6), st.booleans())
def test_the_similarity_is_that_of_sets_of_strings(one: str, other: str, size: int, words: bool) -> None:
    expected = jaccard(one, other, size, words)

    # With so low a threshold each text has all texts that share anything for candidates.
    (_, kept), (_, similarity) = near([one, other], 1e-9, words, size)

    assert (kept, similarity) == ((0, np.float32(expected)) if expected else (-1, similarity))


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=6), st.booleans())
def test_a_sketch_does_not_depend_on_the_other_texts(many: list[str], words: bool) -> None:
    together = sketches(many, 16, 3, words)

    assert np.array_equal(together, np.concatenate([sketches([text], 16, 3, words) for text in many]))


@pytest.mark.parametrize("length", [30, 400])
def test_sketches_agree_in_the_share_of_common_shingles(length: int) -> None:
    random, errors = np.random.default_rng(5), []
    for seed in range(40):
        letters = "".join(random.choice(list("abcdefghij"), length))
        other = letters[: random.integers(length // 3, length)] + "".join(random.choice(list("klmnop"), length // 4))
        one, two = sketches([letters, other], 512, 5, seed=seed)
        errors.append(float((one == two).mean()) - jaccard(letters, other, 5, False))

    # An estimate of 512 places errs by at most sqrt(.25 / 512) = .022; the mean of 40 by .0035; 4 sigma.
    assert abs(np.mean(errors)) < 0.014
    assert np.std(errors) < 0.03


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.85, 0.95, 1.0])
def test_the_bands_catch_a_pair_at_the_threshold(threshold: float) -> None:
    bands, rows = banding(threshold, 128)

    assert bands * rows <= 128
    assert 1 - math.prod([1 - threshold**rows] * bands) >= 0.999


def test_planted_copies_are_found_and_nothing_else() -> None:
    made = corpus(3_000, seed=7)

    kept, _ = near(made.texts, 0.5)

    found = quality(made, [(one, place) for place, one in enumerate(kept) if one >= 0])
    assert found["recall 1 %"] >= 0.995
    assert found["recall 2 %"] >= 0.95
    # A hundredth of the copies with 5 % of their words changed share less than half of their shingles.
    assert found["recall 5 %"] >= 0.95
    assert found["precision"] >= 0.98


def test_a_copy_of_a_removed_text_is_measured_by_the_text_that_stays() -> None:
    words = [f"w{n}" for n in range(40)]
    chain = [" ".join(words[shift : shift + 30]) for shift in (0, 3, 6)]

    kept, similarity = near(chain, 0.75)

    # Each is near the one before it (23 of 29), and the last is not near the first (20 of 32).
    assert kept == [-1, 0, -1]
    assert similarity[1] == np.float32(23 / 29)


def test_many_equal_texts_take_no_quadratic_time() -> None:
    kept, similarity = near(["the same words in every one of them"] * 20_000, 0.9)

    assert kept == [-1, *[0] * 19_999]
    assert set(similarity[1:]) == {1.0}


def test_what_shares_nothing_leaves_no_candidates() -> None:
    assert near([f"{n} {n + 1} {n + 2} {n + 3} {n + 4}" for n in range(0, 400, 5)], 0.8)[0] == [-1] * 80
    assert near([], 0.8)[0] == []


def test_letter_case_and_white_space_count_nowhere_and_a_column_ends_a_word() -> None:
    same = ["  Stra\u00dfe\t\nA  b ", "stra\u00dfe a b", "stra\u00dfe\u00a0A\u3000B"]
    other = ["strasse a b", "stra\u00dfe ab", "stra\u00dfe a\x1fb", "stra\u00dfe", ""]
    found = np.empty((len(same + other), 2), np.uint64)
    digests(*utf8(pa.array(same + other)), folding(), found)

    assert len({tuple(row) for row in found.tolist()}) == 1 + len(other)
    assert len({tuple(row) for row in found[: len(same)].tolist()}) == 1


def test_scripts_without_spaces_have_a_word_a_character() -> None:
    words, offsets = words_of(*utf8(pa.array(["\u4eca\u65e5\u306f", "\u4eca \u65e5 \u306f", "ab \u4eca"])), folding())

    assert np.diff(offsets).tolist() == [3, 3, 2]
    assert words[:3].tolist() == words[3:6].tolist()


@example(["0\x000"])
@given(st.lists(st.text(), max_size=5))
def test_any_text_is_read_as_python_reads_its_words(many: list[str]) -> None:
    plain = [re.sub(r"[^\x00-\u024f]|\x1f", "", text) for text in many]
    words, offsets = words_of(*utf8(pa.array(plain, pa.string())), folding())

    assert np.diff(offsets).tolist() == [len(text.split()) for text in plain]
    assert len(set(words.tolist())) == len({w.lower() for text in plain for w in text.split()})


def test_slices_and_nulls_of_a_column_are_read() -> None:
    column = pa.chunked_array([["left out", "One"], [None, "two"]]).slice(1)
    data, offsets = utf8(column)

    assert [bytes(data[a:b]).decode() for a, b in pairwise(offsets)] == ["One", "", "two"]


def test_loops_are_compiled_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    from mlm_plugins.detectors.kernels import compiled

    def add(one: int, other: int) -> int:
        return one + other

    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])

    assert compiled(add)(2, 3) == 5
