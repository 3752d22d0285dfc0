"""What comes again in a text, among codes of its words, lines and paragraphs; compiled with numba.

Codes have 64 bits: two of a million words share one by chance in fewer than one of ten million texts.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from mlm_plugins.detectors.compiled import compiled

FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MORE = np.uint64(0xBF58476D1CE4E5B9)
_LONGEST = 10


@nb.njit(inline="always")  # type: ignore[untyped-decorator]
def spread(code: Any) -> Any:
    """Let every bit of a code have its say in all others."""
    code = (code ^ (code >> np.uint64(31))) * _MORE
    return code ^ (code >> np.uint64(29))


@compiled
def _cleared(table: Any, count: int) -> Any:
    """Empty as much of a table as so many keys need, and return the mask of its places."""
    size = 8
    while size < 2 * count:
        size *= 2
    table[:size] = 0
    return np.uint64(size - 1)


@compiled
def _first(table: Any, mask: Any, keys: Any, i: int) -> Any:
    """Return the first place in `keys` that has the key of place i, which may be i, by open addressing."""
    seat = (keys[i] >> np.uint64(20)) & mask
    while table[seat]:
        if keys[table[seat] - 1] == keys[i]:
            return np.int64(table[seat]) - 1
        seat = (seat + np.uint64(1)) & mask
    table[seat] = i + 1
    return i


@compiled
def repeated(keys: Any, chars: Any, count: int, table: Any) -> Any:
    """Return how many of the keys come again, and how many characters these have."""
    again, again_chars = 0, 0
    if count > 1:
        mask = _cleared(table, count)
        for i in range(count):
            if _first(table, mask, keys, i) != i:
                again += 1
                again_chars += chars[i]
    return again, again_chars


@compiled
def measure_runs(codes: Any, starts: Any, words: int, table: Any, scratch: Any, out: Any) -> None:
    """Fill `out` for runs of 2 to 10 words: the share of the commonest up to 4, then that of all that come again.

    A run can only come again where both shorter ones inside it do, so few are left to look at after the first round.
    """
    joint, keys, candidates, counts, level = scratch
    total, found = starts[words], max(0, words - 1)
    for i in range(words):
        joint[i], candidates[i], level[i] = codes[i], i, 0
    for n in range(2, _LONGEST + 1):
        mask, best, best_chars, any_again = _cleared(table, found), 1, 0, False
        for k in range(found):
            i = candidates[k]
            joint[i] = joint[i] * FACTOR + codes[i + n - 1]
            keys[i], counts[i] = spread(joint[i]), 1
            first = _first(table, mask, keys, i)
            if first == i:
                continue
            any_again = True
            counts[first] += 1
            level[i] = level[first] = n
            if counts[first] >= best:
                length = starts[i + n] - starts[i]
                if counts[first] > best or length > best_chars:
                    best, best_chars = counts[first], length
        if not any_again:
            break
        if n <= 4:
            out[n - 2] = min(1.0, best * best_chars / total)
        covered, end, left = 0, 0, 0
        for k in range(found):
            i = candidates[k]
            if level[i] == n:
                covered += starts[i + n] - starts[max(i, end)]
                end = i + n
                if end < words and level[i + 1] == n:
                    candidates[left] = i
                    left += 1
        if n > 4:
            out[n - 2] = covered / total
        found = left
