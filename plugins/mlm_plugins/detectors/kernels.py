"""Compiled loops over the UTF-8 bytes of texts: symbols, digests, sketches, near texts.

They are in one file because Numba's cache sees a change of the file of the function that is called, and of no other.
Texts come as the two buffers of an Arrow column: bytes, and one offset more than there are texts. `fold` says of each
code point what it counts as (`folding.py`); `words` whether a text is a run of words or of characters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlm_plugins.detectors.compiled import compiled

Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
Count = Any
"""An integer of the compiled code."""

ALONE = np.uint64(1 << 24)
"""Flag in a folding: the character is a word of its own."""
ROUNDS = 16
"""Rounds of a sketch in which each shingle draws its place."""
LATE = np.uint64(ROUNDS << 27)
SPACE = np.uint64(32)
ONE = np.uint64(1)
BASE = np.uint64(0x9E3779B97F4A7C15)


@compiled
def mixed(value: np.uint64) -> np.uint64:
    """Spread a number over all bits but the lowest, which is 1: the finalizer of SplitMix64 (Steele et al. 2014)."""
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    return (value ^ (value >> np.uint64(31))) | ONE


@compiled
def symbols_of(data: Bytes, start: Count, end: Count, fold: Codes, words: bool, out: Hashes) -> Count:
    """Write a text's words (hashed), or its characters with single spaces, and return how many there are.

    `out` needs a place more than the text has bytes.
    """
    count = _words(data, start, end, fold, out) if words else _characters(data, start, end, fold, out)
    return np.int64(count)


# Places are unsigned, for Numba looks at the sign of others. No branch asks for the end of a word: processors do not
# foresee it, and the loops would take twice as long.


@compiled
def _words(data: Bytes, start: Count, end: Count, fold: Codes, out: Hashes) -> np.uint64:
    place, last, count, word = np.uint64(start), np.uint64(end), np.uint64(0), np.uint64(0)
    while place < last:
        char, width = np.uint64(data[place]), ONE
        if char < 0x80:
            char = np.uint64(fold[char])
        else:
            char, width = _decoded(data, place, last, fold)
        place += width
        out[count] = word
        if char < ALONE:
            count += np.uint64((char == 0) & (word != 0))
            following = word * BASE + char
            word = following if char != 0 else np.uint64(0)
        else:
            count += np.uint64(word != 0)
            out[count] = char
            count += ONE
            word = np.uint64(0)
    out[count] = word
    count += np.uint64(word != 0)
    for number in range(count):
        out[number] = mixed(out[number])
    return count


@compiled
def _characters(data: Bytes, start: Count, end: Count, fold: Codes, out: Hashes) -> np.uint64:
    place, last, count, before = np.uint64(start), np.uint64(end), np.uint64(0), np.uint64(0)
    while place < last:
        char, width = np.uint64(data[place]), ONE
        if char < 0x80:
            char = np.uint64(fold[char])
        else:
            char, width = _decoded(data, place, last, fold)
        place += width
        out[count] = char if char != 0 else SPACE
        count += np.uint64((char != 0) | (before != 0))
        before = char
    return count - np.uint64((count > 0) & (before == 0))


@compiled
def _decoded(data: Bytes, place: np.uint64, end: np.uint64, fold: Codes) -> tuple[np.uint64, np.uint64]:
    """Return what a character beyond ASCII counts as, and how many bytes it has."""
    code = np.uint64(data[place])
    width = np.uint64(2 if code < 0xE0 else 3 if code < 0xF0 else 4)
    code &= np.uint64(0x7F) >> width
    for following in range(place + ONE, min(place + width, end)):
        code = code << np.uint64(6) | np.uint64(data[following] & np.uint8(0x3F))
    return (np.uint64(fold[code]) if code < np.uint64(fold.size) else code | ALONE), width


@compiled
def to_shingles(symbols: Hashes, count: int, size: int) -> Count:
    """Put the hash of each run of `size` symbols in their place, in any order; return how many runs there are.

    A shorter text is one run.
    """
    size = max(1, min(size, count))
    power, rolling = np.uint64(1), np.uint64(0)
    for symbol in symbols[: min(size, count)]:
        power *= BASE
        rolling = rolling * BASE + symbol
    first = mixed(rolling)
    runs = max(1, count - size + 1)
    for run in range(np.uint64(runs - 1)):
        rolling = rolling * BASE + symbols[run + np.uint64(size)] - power * symbols[run]
        symbols[run] = mixed(rolling)
    symbols[runs - 1] = first
    return runs


@compiled
def digests(data: Bytes, offsets: Places, fold: Codes, out: Hashes) -> None:
    """Digest each text's characters into 128 bits, (texts, 2); letter case and white space do not count."""
    symbols = np.empty(_longest(offsets) + 1, np.uint64)
    for text in range(offsets.size - 1):
        count = symbols_of(data, offsets[text], offsets[text + 1], fold, False, symbols)
        one, other = mixed(np.uint64(count)), mixed(~np.uint64(count))
        for symbol in symbols[:count]:
            one = (one ^ symbol) * np.uint64(0xBF58476D1CE4E5B9)
            one ^= one >> np.uint64(29)
            other = (other + symbol) * np.uint64(0x94D049BB133111EB)
            other ^= other >> np.uint64(32)
        out[text, 0], out[text, 1] = mixed(one), mixed(other)


@compiled
def words_of(data: Bytes, offsets: Places, fold: Codes) -> tuple[Hashes, Places]:
    """Hash the words of all texts; return them with the offsets of each text's."""
    words = np.empty(offsets[-1] - offsets[0] + offsets.size, np.uint64)
    ends = np.zeros(offsets.size, np.int64)
    for text in range(offsets.size - 1):
        count = symbols_of(data, offsets[text], offsets[text + 1], fold, True, words[ends[text] :])
        ends[text + 1] = ends[text] + count
    return words[: ends[-1]], ends


@compiled
def sketch(
    data: Bytes, offsets: Places, fold: Codes, words: bool, size: int, seed: int, found: NDArray[np.uint32]
) -> None:
    """Sketch each text, (texts, places): two agree at a place with the probability of their Jaccard similarity.

    Fast similarity sketching (Dahlgaard, Knudsen, Thorup 2017): in each round every shingle draws a place and a value,
    and the first round that reaches a place decides it. A long text needs one round, and a short one is as accurate as
    with a permutation for each place. What is empty after ROUNDS is filled place by place.
    """
    symbols = np.empty(_longest(offsets) + 1, np.uint64)
    places = np.uint64(found.shape[1])
    for text in range(offsets.size - 1):
        count = symbols_of(data, offsets[text], offsets[text + 1], fold, words, symbols)
        count = to_shingles(symbols, count, size)
        row = found[text]
        row[:] = 0xFFFFFFFF
        for turn in range(ROUNDS):
            salt, high = mixed(np.uint64(seed) * BASE + np.uint64(turn)), np.uint64(turn) << np.uint64(27)
            for shingle in symbols[:count]:
                drawn = (shingle ^ salt) * np.uint64(0x94D049BB133111EB)
                drawn ^= drawn >> np.uint64(32)
                drawn *= np.uint64(0xBF58476D1CE4E5B9)
                place = ((drawn >> np.uint64(32)) * places) >> np.uint64(32)
                row[place] = min(row[place], np.uint32(high | (drawn & np.uint64(0x7FFFFFF))))
            if row.max() != 0xFFFFFFFF:
                break
        for place in range(row.size):
            if row[place] == 0xFFFFFFFF:
                salt = mixed(np.uint64(seed) * BASE + np.uint64(ROUNDS + place))
                for shingle in symbols[:count]:
                    row[place] = min(row[place], np.uint32(LATE | mixed(shingle ^ salt) >> np.uint64(37)))


@compiled
def near(
    begin: int, end: int, kept: NDArray[np.int32], similarity: NDArray[np.float32], asked: NDArray[np.int32],
    starts: Places, bands: Bytes, links: NDArray[np.int32], data: Bytes, offsets: Places, lengths: Codes, bits: Bytes,
    fold: Codes, words: bool, size: int, threshold: float, most: int,
) -> None:  # fmt: skip
    """Find the earliest text that stays and is near, for the texts from `begin` to `end`, which come next.

    Args:
        kept: The text that was found for each; -1 where the text itself stays.
        similarity: Of the text and that one.
        asked: Used by the calls among themselves; -1 before the first.
        starts: (texts + 1); where the links of each text begin.
        bands: (links); the band of each, rising within a text.
        links: (links); the text before it in the same bucket of that band. Used up.
        offsets: Where each text begins in `data`.
        lengths: Bytes of each text.
        bits: (texts, bytes); what `halved` made of the sketches.
        threshold: Jaccard similarity of the shingles from which two texts are near.
        most: Places that may differ for the similarity to be computed.
    """
    longest = np.int64(lengths.max())
    own, other, tables = np.empty(longest + 1, np.uint64), np.empty(longest + 1, np.uint64), 2
    while tables < 2 * longest:
        tables *= 2
    table, second = np.empty(tables, np.uint64), np.empty(tables, np.uint64)
    queue = np.empty(end, np.int32)
    for text in range(begin, end):
        waiting = 0
        for link in range(starts[text], starts[text + 1]):
            before: Count = links[link]
            # The links of a text that went lead to texts that stay: each was cut short in its turn.
            if before >= 0 and kept[before] >= 0:
                before = links[link] = _before(starts, bands, links, before, bands[link])
            while before >= 0:
                if asked[before] != text:
                    asked[before] = text
                    queue[waiting] = before
                    waiting += 1
                before = _before(starts, bands, links, before, bands[link])
        queue[:waiting].sort()
        mine = slots = 0
        for before in queue[:waiting]:
            differ = 0
            for byte in range(bits.shape[1]):
                other_bits = bits[text, byte] ^ bits[before, byte]
                differ += (other_bits & 0x0F != 0) + (other_bits & 0xF0 != 0)
            if differ > most:
                continue
            if not mine:
                mine, slots = _tabled(data, offsets[text], lengths[text], fold, words, size, own, table)
            theirs, _ = _tabled(data, offsets[before], lengths[before], fold, words, size, other, second)
            shared = 0
            for shingle in other[:theirs]:
                shared += _slot(shingle, table[:slots]) < 0
            if shared >= threshold * (mine + theirs - shared):
                kept[text], similarity[text] = before, shared / (mine + theirs - shared)
                break


@compiled
def _before(starts: Places, bands: Bytes, links: NDArray[np.int32], text: Count, band: Count) -> Count:
    """Return the text before one in its bucket of a band, or -1."""
    for link in range(starts[text], starts[text + 1]):
        if bands[link] == band:
            return links[link]
    return np.int32(-1)


@compiled
def _tabled(
    data: Bytes, start: Count, length: Count, fold: Codes, words: bool, size: int, symbols: Hashes, table: Hashes
) -> tuple[int, int]:
    """Leave a text's distinct shingles in `symbols` and in the beginning of `table`; return how many, and its slots."""
    count = to_shingles(symbols, symbols_of(data, start, start + np.int64(length), fold, words, symbols), size)
    slots, found = 1, 0
    while slots < 2 * count:
        slots *= 2
    table[:slots] = 0
    for shingle in symbols[:count]:
        slot = _slot(shingle, table[:slots])
        if slot >= 0:
            table[slot] = symbols[found] = shingle
            found += 1
    return found, slots


@compiled
def _slot(shingle: np.uint64, table: Hashes) -> Count:
    """Return the free slot for a shingle, or -1 where the table has it."""
    slot, mask = np.int64(shingle >> np.uint64(20)) & (table.size - 1), table.size - 1
    while table[slot]:
        if table[slot] == shingle:
            return np.int64(-1)
        slot = (slot + 1) & mask
    return slot


@compiled
def _longest(offsets: Places) -> Count:
    longest = np.int64(0)
    for text in range(offsets.size - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    return longest


@compiled
def entered(keys: Hashes, table: Hashes) -> NDArray[np.bool_]:
    """Put keys into a hash table whose size is a power of two, and say which were there before; 0 is no key."""
    before, mask = np.zeros(keys.size, np.bool_), table.size - 1
    for place in range(keys.size):
        slot = np.int64(keys[place] >> np.uint64(20)) & mask
        while keys[place] and table[slot] and table[slot] != keys[place]:
            slot = (slot + 1) & mask
        before[place] = keys[place] and table[slot]
        table[slot] = keys[place] or table[slot]
    return before
