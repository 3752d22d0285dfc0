"""A corpus with planted near copies, and how well planted pairs are found again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

SHARES = (0.01, 0.02, 0.05)
"""Shares of the words that a planted copy has changed."""
SHINGLE = 5
WORDS = 50_000


@frozen
class Corpus:
    """Documents of about 300 words; a fifth of them are copies of others with a share of the words changed."""

    texts: list[str]
    pairs: dict[tuple[int, int], float]
    """The places of planted pairs, the earlier first, and the share of words that differ."""

    def save(self, file: Path) -> None:
        """Write one text a line; no text has a line break."""
        file.write_text("\n".join(self.texts), encoding="utf-8")


def corpus(count: int, seed: int = 0) -> Corpus:
    """Make documents of words whose frequencies follow Zipf's law, shuffled."""
    chance = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfwygpb"))
    words = ["".join(chance.choice(letters, chance.integers(2, 11))) for _ in range(WORDS)]
    weights = np.cumsum(1 / np.arange(10, WORDS + 10))
    lengths = chance.integers(200, 401, count * 4 // 5)
    drawn = np.searchsorted(weights, chance.random(lengths.sum()) * weights[-1])
    originals = np.split(drawn, np.cumsum(lengths)[:-1])
    copied = chance.choice(len(originals), count - len(originals), replace=False)
    shares = [SHARES[place % len(SHARES)] for place in range(copied.size)]
    every = originals + [_edited(originals[one], share, chance) for one, share in zip(copied, shares, strict=True)]
    order = chance.permutation(count)
    place = np.argsort(order)
    pairs = {
        tuple(sorted((int(place[one]), int(place[len(originals) + copy])))): share
        for copy, (one, share) in enumerate(zip(copied, shares, strict=True))
    }
    texts = [" ".join(map(words.__getitem__, every[number].tolist())) for number in order]
    return Corpus(texts, pairs)  # type: ignore[arg-type]


def _edited(text: NDArray[np.intp], share: float, chance: np.random.Generator) -> NDArray[np.intp]:
    """Put other words in the place of a share of a text's."""
    text = text.copy()
    places = chance.choice(text.size, round(text.size * share), replace=False)
    text[places] = chance.integers(0, WORDS, places.size)
    return text


def similarity(one: str, other: str) -> float:
    """Return the Jaccard similarity of the sets of runs of five words."""
    sets = []
    for text in (one, other):
        words = text.split()
        sets.append({tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def quality(made: Corpus, found: Iterable[tuple[int, int]]) -> dict[str, float]:
    """Return the recall of planted pairs by share of changed words, and the share of found pairs that are near (.5)."""
    pairs = {(min(pair), max(pair)) for pair in found}
    recall = {
        f"recall {100 * share:g} %": sum(pair in pairs for pair, s in made.pairs.items() if s == share)
        / max(1, sum(s == share for s in made.pairs.values()))
        for share in SHARES
    }
    near = [similarity(made.texts[a], made.texts[b]) >= 0.5 for a, b in pairs]
    return recall | {"precision": sum(near) / max(1, len(near))}
