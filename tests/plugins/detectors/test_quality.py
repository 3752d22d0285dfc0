"""The compiled measures are those of the readable reference, and the limits those of the sources."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plugins.detectors.quality_reference import measures

from mlm_plugins.detectors.characters import kinds
from mlm_plugins.detectors.measuring_text import MEASURES
from mlm_plugins.detectors.quality import RULES, judged, measured

PIECES = st.sampled_from(
    [
        "the", "The", "be", "of", "a", "b", "and", "with.", "the\u017f", "\u746f", "\n",
        "\n\n", " \n \n", " ", "  ", "\t", "\r\n",
        "\u00a0", "\u3000", "...", "....", "......", "\u2026", "#", "##", "- ", "\u2022 ", "* x", "{", "}", "end.",
        '"Yes!"', "(no?)", "...)", "lorem ipsum", "Lorem Ipsum", "lorem  ipsum", "lorem", "\x00", "\x1c", "7", "\u00e9",
        "\u6f22\u5b57\u3002", "\U0001f600", "one line that comes again", "one line  that comes again\n",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.lists(PIECES, max_size=60).map(" ".join) | st.text(max_size=80)


def compiled(*texts: str | None) -> list[dict[str, float]]:
    return [dict(zip(MEASURES, row, strict=True)) for row in measured(pa.chunked_array([pa.array(texts, pa.string())]))]


@settings(max_examples=400, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_the_compiled_measures_are_those_of_the_reference(texts: list[str]) -> None:
    for text, found in zip(texts, compiled(*texts), strict=True):
        assert found == pytest.approx(dict.fromkeys(MEASURES, 0.0) | measures(text), abs=1e-12)


@pytest.mark.parametrize("size", [1, 7, 300])
def test_repetition_is_found_wherever_it_stands(size: int) -> None:
    text = " ".join([*(f"w{i}" for i in range(size)), *["all ten of these words are here more than once"] * 3] * 2)

    assert compiled(text)[0] == pytest.approx(dict.fromkeys(MEASURES, 0.0) | measures(text))


def test_a_null_is_an_empty_text_and_slices_keep_their_places() -> None:
    column = pa.chunked_array([pa.array(["one two", None, "three"]), pa.array(["four five six"])])

    assert [row[1] for row in measured(column)] == [2, 0, 1, 3]
    assert [row[1] for row in measured(column.slice(2))] == [1, 3]
    assert measured(column.slice(0, 0)).shape == (0, len(MEASURES))


def test_no_character_beyond_the_table_has_a_kind() -> None:
    beyond = map(chr, range(len(kinds()), sys.maxunicode + 1))

    assert not any(character.isalnum() or character.isspace() for character in beyond)


def test_the_limits_are_those_of_the_sources() -> None:
    limits = {name: {rule.name: rule.limit for rule in rules} for name, rules in RULES.items()}

    # Rae et al. 2021, A.1.1 and table A1.
    assert limits["gopher"] == {
        "min_words": 50, "max_words": 100_000, "min_mean_word_length": 3, "max_mean_word_length": 10,
        "max_hash_ratio": 0.1, "max_ellipsis_ratio": 0.1, "max_bullet_lines": 0.9, "max_ellipsis_lines": 0.3,
        "min_alphabetic_words": 0.8, "min_stop_words": 2, "max_duplicate_lines": 0.3, "max_duplicate_paragraphs": 0.3,
        "max_duplicate_line_chars": 0.2, "max_duplicate_paragraph_chars": 0.2, "max_top_2gram_chars": 0.2,
        "max_top_3gram_chars": 0.18, "max_top_4gram_chars": 0.16, "max_duplicate_5gram_chars": 0.15,
        "max_duplicate_6gram_chars": 0.14, "max_duplicate_7gram_chars": 0.13, "max_duplicate_8gram_chars": 0.12,
        "max_duplicate_9gram_chars": 0.11, "max_duplicate_10gram_chars": 0.1,
    }  # fmt: skip
    # Raffel et al. 2020, 2.2.
    assert limits["c4"] == {"min_sentences": 5, "max_curly_brackets": 0, "max_lorem_ipsum": 0}
    # Penedo et al. 2024, 3.6.
    assert limits["fineweb"] == {
        "min_terminal_lines": 0.12, "max_duplicate_line_chars": 0.1, "max_short_lines": 0.67, "max_newline_ratio": 0.3,
    }  # fmt: skip


@given(text=TEXTS)
@settings(deadline=None)
def test_a_score_is_one_within_the_limit_and_falls_outside(text: str) -> None:
    rules = [rule for rules in RULES.values() for rule in rules]

    judgement = judged(measured(pa.chunked_array([[text]])), rules)

    words = len(text.split())
    for rule, value, score in zip(rules, judgement.values[0], judgement.scores[0], strict=True):
        outside = value < rule.limit if rule.side == "min" else value > rule.limit
        assert 0 <= score <= 1
        assert (score < 1) == (outside and words >= rule.from_words)
