"""Texts made up for benchmarks of data: seeded, with planted personal data."""

from __future__ import annotations

import random

_TEXT = """the of and to in a is that for it as was with be by on not he this are or his from at which but have an had
    they you were their one all we can her has there been if more when will would who so no river city mountain north
    south market bridge harbour winter summer teacher garden history answer question engine signal paper letter"""
WORDS = _TEXT.split()
PERSONAL = (
    "ann.lee@example.org", "+44 20 7946 0958", "4111 1111 1111 1111", "192.168.17.4", "GB82 WEST 1234 5698 7654 32",
)  # fmt: skip


def sentences(count: int, words: int, seed: int = 0) -> list[str]:
    """Make texts of about so many words."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=words)) + "." for _ in range(count)]


def with_personal_data(texts: list[str], share: float, seed: int = 2) -> list[str]:
    """Put one piece of personal data into a share of the texts."""
    chance = random.Random(seed)
    return [f"{text} Contact {chance.choice(PERSONAL)} now." if chance.random() < share else text for text in texts]


def documents(count: int, seed: int = 3) -> list[str]:
    """Make documents of about 2 kB: paragraphs of sentences, with lines that come again in one of ten."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        lines = [" ".join(chance.choices(WORDS, k=chance.randrange(20, 60))).capitalize() + "." for _ in range(10)]
        if chance.random() < 0.1:
            lines += lines[:4]
        made.append("\n\n".join("\n".join(lines[start : start + 3]) for start in range(0, len(lines), 3)))
    return made
