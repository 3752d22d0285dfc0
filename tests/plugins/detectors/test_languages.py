"""The language of a text shows in its function words."""

from __future__ import annotations

import pytest

from mlm_plugins.detectors.languages import STOP_WORDS, evidence, foreign

# Article 1 of the Universal Declaration of Human Rights.
ARTICLE_1 = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience "
    "and should act towards one another in a spirit of brotherhood.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt "
    "und sollen einander im Geist der Brüderlichkeit begegnen.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de "
    "conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y "
    "conciencia, deben comportarse fraternalmente los unos con los otros.",
    "it": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di "
    "coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
    "pt": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de "
    "consciência, devem agir uns para com os outros em espírito de fraternidade.",
    "nl": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en "
    "geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen.",
}


@pytest.mark.parametrize("language", ARTICLE_1)
def test_a_language_is_told_from_the_others(language: str) -> None:
    others = [name for name in STOP_WORDS if name != language]

    assert foreign(ARTICLE_1[language], others) == language
    assert foreign(ARTICLE_1[language], [language]) is None


@pytest.mark.parametrize("text", ["", "Die Hard", "Las Vegas", "7 + 3", "Ilvaria", "Viva la vida", "print(x)"])
def test_a_short_text_without_evidence_stays(text: str) -> None:
    assert foreign(text, ["en"]) is None


def test_a_quotation_in_an_english_text_stays() -> None:
    text = "He asked me what it means when they say 'c'est la vie, mon ami' in the film that we saw."

    assert foreign(text, ["en"]) is None


def test_words_of_several_languages_count_for_less() -> None:
    # "de" is in four profiles more than "der" is.
    assert evidence("de")["fr"] < evidence("der")["de"]
