"""Insults are found as whole words, in any disguise of case."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mlm_plugins.detectors.toxicity import lexicon, longest, toxic_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("You IDIOT!", ["idiot"]),
        ("Idiots, morons.", ["idiots", "morons"]),
        ("shut  up now", ["shut up"]),
        ("You\u2019re stupid", ["you\u2019re stupid"]),
        ("what an 1d1ot", ["idiot"]),
        ("sh1t and $hit", ["shit", "shit"]),
    ],
)
def test_terms_are_found(text: str, terms: list[str]) -> None:
    assert toxic_terms(text) == terms


@pytest.mark.parametrize(
    "text",
    ["", "Scunthorpe and Shitake", "Please assume the cocktail is prickly.", "He bastes the jerky.", "idiosyncrasy"],
)
def test_harmless_words_that_hold_a_term_stay(text: str) -> None:
    assert toxic_terms(text) == []


def test_the_strong_level_leaves_the_mild_terms_out() -> None:
    assert toxic_terms("You idiot, go to hell", "strong") == ["go to hell"]
    assert set(lexicon("strong")) < set(lexicon("mild"))


def test_further_terms_are_taken_literally() -> None:
    assert toxic_terms("you Purple+Cow", words=["purple+cow"]) == ["purple+cow"]
    assert toxic_terms("you purpleeecow", words=["purple+cow"]) == []


@pytest.mark.parametrize("term", lexicon())
def test_every_entry_is_found_and_fits_the_longest(term: str) -> None:
    spread = term.replace(" ", "  ") + "s"

    assert toxic_terms(f"oh {spread}!") == [term + "s"]
    assert len(spread) <= longest()


@pytest.mark.real
def test_no_word_of_real_prose_starts_with_a_term_unless_it_is_one() -> None:
    """A streamed text is judged before its next letter has come."""
    folder = os.environ.get("MLM_REAL_DATA")
    if not folder:
        pytest.skip("MLM_REAL_DATA is not set")
    prose = "".join((Path(folder) / "curation" / name).read_text() for name in ("tinyshakespeare.txt", "wiki_demo.txt"))
    terms = tuple(term for term in lexicon() if " " not in term)

    caught = {word for word in re.findall(r"[a-z]+", prose.lower()) if word.startswith(terms) and not toxic_terms(word)}

    # Inflections are as toxic as their term, and so is Shakespeare's.
    assert {word for word in caught if not re.search(r"(ly|s|y|ed|er|ing|ish|ize|ized|ism)$", word)} <= {"whoreson"}
