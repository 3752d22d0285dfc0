"""Small changes of a prompt that should not change its answer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

MARKS = ("", ".", "?", "!", "...")


def typo(text: str, random: Random) -> str:
    """Swap two neighbouring letters inside one word; the word's first and last letter stay."""
    places = [i for i in range(1, len(text) - 2) if text[i - 1 : i + 3].isalpha() and text[i] != text[i + 1]]
    if not places:
        return text
    i = random.choice(places)
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def case(text: str, random: Random) -> str:
    """Write all in lower case, or all in upper case."""
    return random.choice([changed for changed in (text.lower(), text.upper()) if changed != text] or [text])


def punctuation(text: str, random: Random) -> str:
    """Remove the final mark, or write another one."""
    stem = text.rstrip(" .?!")
    return random.choice([stem + mark for mark in MARKS if stem + mark != text])


def spaces(text: str, random: Random) -> str:
    """Write one space twice."""
    places = [i for i, letter in enumerate(text) if letter == " "]
    if not places:
        return text + " "
    i = random.choice(places)
    return text[:i] + " " + text[i:]


PERTURBATIONS: dict[str, Callable[[str, Random], str]] = {
    "typo": typo,
    "case": case,
    "punctuation": punctuation,
    "spaces": spaces,
}
