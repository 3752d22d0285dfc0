"""What our code makes of py3langid's model is what py3langid makes of it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from mlm_plugins.detectors.identification import MOST_BYTES, identified, languages
from mlm_plugins.detectors.language_codes import LANGUAGES

PEER = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["the river", "der Fluss ist", "la r\u00edvera", "\u0440\u0435\u043a\u0430", "\u6cb3", "e\u0301", "RIO GRANDE"]
    )
).map(" ".join)


def agree_on_capitals(text: str) -> bool:
    """Python and Arrow do not call the same texts capitals where marks such as the ordinal indicators are in them."""
    return bool(pc.utf8_is_upper(text).as_py() == text.isupper())


@settings(deadline=None, max_examples=200)
@given(texts=st.lists(TEXTS.filter(agree_on_capitals), min_size=1, max_size=5))
def test_language_and_confidence_are_those_of_py3langid(texts: list[str]) -> None:
    found, chances = identified(pa.chunked_array([pa.array(texts, pa.string())]))

    for text, code, chance in zip(texts, found, chances, strict=True):
        scores = dict(PEER.rank(text))
        assert chance == pytest.approx(max(scores.values()), rel=1e-3)
        assert scores[code] == pytest.approx(max(scores.values()), rel=1e-3)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The library opens at nine and closes at five.", "en"),
        ("Die Antwort steht in dem Buch, das auf dem Tisch liegt.", "de"),
        ("Nous sommes allés dans une petite ville près de la mer.", "fr"),
        ("Ответ лежит в книге на столе.", "ru"),
        ("图书馆上午九点开门。", "zh"),
    ],
)  # fmt: skip
def test_sentences_are_recognized(text: str, language: str) -> None:
    assert identified(pa.chunked_array([[text]]))[0] == [language]


def test_only_the_beginning_counts() -> None:
    english = "The river is wide. " * 400
    assert len(english) > MOST_BYTES

    found, _ = identified(pa.chunked_array([[english + "Der Fluss ist breit. " * 4000, None]]))

    assert found[0] == "en"


def test_the_codes_that_settings_may_name_are_those_of_the_model() -> None:
    assert set(languages()) == set(LANGUAGES)
    assert len(LANGUAGES) == 140
