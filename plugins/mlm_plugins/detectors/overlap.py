"""What texts share with held-out items: whole items, and runs of words.

Hashes stand for words; an item's runs are found in a hash table while a text's words go by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import define, field, frozen

from mlm_plugins.detectors.columns import utf8
from mlm_plugins.detectors.compiled import compiled
from mlm_plugins.detectors.folding import folding
from mlm_plugins.detectors.kernels import Hashes, Places, words_of


@frozen
class Overlap:
    """What a text shares with an item: so many of the item's runs of so many words.

    `others` further items share as large a part of theirs as was asked for.
    """

    item: int
    found: int
    runs: int
    length: int
    others: int

    @property
    def share(self) -> float:
        return self.found / self.runs


@frozen
class _Index:
    """Runs of words, in an open hash table of keys and numbers, and the items that have each."""

    lengths: Places
    sizes: Places
    table: Hashes
    starts: Places
    owners: Places
    runs: Places

    @classmethod
    def of(cls, items: Sequence[Hashes], ngram: int) -> _Index:
        """Index items; one of fewer words than a run is one run."""
        parts = [np.unique(runs_of(words, min(ngram, words.size))) for words in items]
        runs = np.array([part.size for part in parts], np.int64)
        keys, places = np.unique(np.concatenate([np.empty(0, np.uint64), *parts]), return_inverse=True)
        order = np.argsort(places, kind="stable")
        starts = np.append(0, np.cumsum(np.bincount(places, minlength=keys.size)))
        lengths = np.unique([min(ngram, words.size) for words in items if words.size]).astype(np.int64)
        sizes = np.array([words.size for words in items], np.int64)
        return cls(lengths, sizes, tabled(keys), starts, np.repeat(np.arange(len(items)), runs)[order], runs)


@define(kw_only=True)
class HeldOut:
    """Held-out items, and what a text shares with them.

    An item is looked for by its runs of `ngram` words; one that is shorter, as a whole. Items under `shortest` words
    count only where they are the whole text: they occur in texts that have nothing to do with them.
    """

    ngram: int
    shortest: int
    _items: list[Hashes] = field(factory=list, init=False)
    _index: _Index | None = field(default=None, init=False)

    def add(self, column: Any) -> None:
        """Take the next items, an Arrow column of strings."""
        words, offsets = _words(column)
        self._items += [words[a:b].copy() for a, b in pairwise(offsets)]
        self._index = None

    def overlaps(self, column: Any, share: float) -> Iterator[Overlap | None]:
        """Yield for each text the item of which it has the largest part, at least `share`; the first of equal ones."""
        index = self._index = self._index or _Index.of(self._items, self.ngram)
        words, offsets = _words(column)
        best, found, others = scan(
            words, offsets, index.lengths, index.sizes, self.shortest, index.table, index.starts, index.owners,
            index.runs, share,
        )  # fmt: skip
        for item, count, more in zip(best.tolist(), found.tolist(), others.tolist(), strict=True):
            if item < 0:
                yield None
            else:
                yield Overlap(item, count, int(index.runs[item]), min(self.ngram, self.words(item)), more)

    def words(self, item: int) -> int:
        """Return how many words an item has."""
        return int(self._items[item].size)


def _words(column: Any) -> tuple[Hashes, Places]:
    data, offsets = utf8(column)
    found: tuple[Hashes, Places] = words_of(data, offsets, folding(punctuation=False))
    return found


@compiled
def runs_of(words: Hashes, length: int) -> Hashes:
    """Return a key for each run of so many words; its lowest bit is 1."""
    base = np.uint64(0x9E3779B97F4A7C15)
    power, key = np.uint64(1), np.uint64(0)
    for _ in range(length):
        power *= base
    out = np.empty(max(0, words.size - length + 1) if length else 0, np.uint64)
    for place in range(words.size if length else 0):
        key = key * base + words[place]
        if place >= length:
            key -= power * words[place - length]
        if place >= length - 1:
            run = (key ^ np.uint64(length)) * np.uint64(0xBF58476D1CE4E5B9)
            out[place - length + 1] = (run ^ (run >> np.uint64(31))) | np.uint64(1)
    return out


@compiled
def tabled(keys: Hashes) -> Hashes:
    """Put keys into a hash table, (slots, 2): the key, 0 where the slot is free, and its number."""
    slots = 2
    while slots < 2 * keys.size:
        slots *= 2
    table = np.zeros((slots, 2), np.uint64)
    for number in range(keys.size):
        slot = np.int64(keys[number] >> np.uint64(20)) & (slots - 1)
        while table[slot, 0]:
            slot = (slot + 1) & (slots - 1)
        table[slot, 0], table[slot, 1] = keys[number], np.uint64(number)
    return table


@compiled
def scan(
    words: Hashes, offsets: Places, lengths: Places, sizes: Places, shortest: int, table: Hashes, starts: Places,
    owners: Places, runs: Places, share: float,
) -> tuple[Places, Places, Places]:  # fmt: skip
    """Return for each text its best item or -1, how many of its runs the text has, and how many more items qualify."""
    texts, mask = offsets.size - 1, table.shape[0] - 1
    best, found, others = np.full(texts, -1), np.zeros(texts, np.int64), np.zeros(texts, np.int64)
    seen, counts = np.full(max(1, starts.size), -1), np.zeros(max(1, runs.size), np.int64)
    touched = np.empty(max(1, runs.size), np.int64)
    for text in range(texts):
        own, waiting = words[offsets[text] : offsets[text + 1]], 0
        for length in lengths:
            for key in runs_of(own, length):
                slot = np.int64(key >> np.uint64(20)) & mask
                while table[slot, 0] and table[slot, 0] != key:
                    slot = (slot + 1) & mask
                number = np.int64(table[slot, 1])
                if not table[slot, 0] or seen[number] == text:
                    continue
                seen[number] = text
                for item in owners[starts[number] : starts[number + 1]]:
                    if sizes[item] < shortest and sizes[item] != own.size:
                        continue
                    if not counts[item]:
                        touched[waiting] = item
                        waiting += 1
                    counts[item] += 1
        touched[:waiting].sort()
        for item in touched[:waiting]:
            if counts[item] >= share * runs[item]:
                others[text] += best[text] >= 0
                if best[text] < 0 or counts[item] * runs[best[text]] > found[text] * runs[item]:
                    best[text], found[text] = item, counts[item]
        counts[touched[:waiting]] = 0
    return best, found, others
