"""What quality rules are about, measured in one pass over the UTF-8 bytes of a column; compiled with numba.

A word is a run without white space, a line what newlines enclose, blank ones aside, a paragraph a run of lines without
a blank one between. Lines and paragraphs are equal where their words are. Shares of characters leave white space out.
Repetition is as RedPajama-V2 has it (Weber et al. 2024): every occurrence counts, and no character twice.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from mlm_plugins.detectors.characters import ALNUM, ALPHA, BULLET, CLOSING, QUOTE, SPACE, TERMINAL

MEASURES = (
    "chars", "words", "mean_word_length", "hash_ratio", "ellipsis_ratio", "alphabetic_words", "alphanumeric_words",
    "stop_words", "sentences", "curly_brackets", "lorem_ipsum", "lines", "bullet_lines", "ellipsis_lines",
    "terminal_lines", "short_lines", "newline_ratio", "duplicate_lines", "duplicate_line_chars",
    "duplicate_paragraphs", "duplicate_paragraph_chars", "top_2gram_chars", "top_3gram_chars", "top_4gram_chars",
    "duplicate_5gram_chars", "duplicate_6gram_chars", "duplicate_7gram_chars", "duplicate_8gram_chars",
    "duplicate_9gram_chars", "duplicate_10gram_chars",
)  # fmt: skip
"""Columns of what `measure` returns."""
MOST = 1 << 20
"""Repetition is looked for among this many words (lines, paragraphs) of a row, so that memory is bounded."""
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
LONGEST = 10
_SHORT_LINE = 30
_FIRST_REPETITION = MEASURES.index("top_2gram_chars")
_NEWLINE, _HASH, _DOT, _BRACE, _ELLIPSIS = ord("\n"), ord("#"), ord("."), ord("{"), 0x2026
_LOREM = np.frombuffer(b"lorem ipsum", np.uint8)
# The first four letters of a word in one number.
_STOPS = np.array([int.from_bytes(word.encode(), "big") for word in STOP_WORDS], np.uint64)
_K = np.uint64(0x9E3779B97F4A7C15)
_M = np.uint64(0xBF58476D1CE4E5B9)


@nb.njit(inline="always")  # type: ignore[untyped-decorator]
def _mixed(code: Any) -> Any:
    code = (code ^ (code >> np.uint64(31))) * _M
    return code ^ (code >> np.uint64(29))


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _decoded(data: Any, at: int, end: int) -> Any:
    """Return the code point at a place of UTF-8 bytes, and how many bytes it takes; broken bytes read as one each."""
    lead = data[at]
    if lead < 0x80:
        return np.int64(lead), 1
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC0 or at + size > end:
        return np.int64(0xFFFD), 1
    code = np.int64(lead) & (0x7F >> size)
    for place in range(at + 1, at + size):
        code = (code << 6) | (np.int64(data[place]) & 0x3F)
    return code, size


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _is_lorem(data: Any, at: int, end: int) -> bool:
    if at + _LOREM.size > end:
        return False
    for place in range(_LOREM.size):
        letter = data[at + place]
        if (letter | 0x20 if letter >= 0x40 else letter) != _LOREM[place]:
            return False
    return True


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _seat(keys: Any, stamps: Any, mask: Any, stamp: Any, key: Any) -> Any:
    """Return where a key is, or would be, in an open-addressing table; older stamps are empty places."""
    place = (key >> np.uint64(20)) & mask
    while stamps[place] == stamp and keys[place] != key:
        place = (place + np.uint64(1)) & mask
    return place


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _table_mask(count: int) -> Any:
    size = 8
    while size < 2 * count:
        size *= 2
    return np.uint64(size - 1)


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _repeated(codes: Any, chars: Any, count: int, keys: Any, stamps: Any, stamp: Any) -> Any:
    """Return how many of the codes come again, and how many characters these have."""
    mask, again, again_chars = _table_mask(count), 0, 0
    for i in range(count):
        place = _seat(keys, stamps, mask, stamp, codes[i])
        if stamps[place] == stamp:
            again += 1
            again_chars += chars[i]
        stamps[place] = stamp
        keys[place] = codes[i]
    return again, again_chars


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _runs(
    codes: Any, starts: Any, words: int, keys: Any, stamps: Any, stamp: Any, counts: Any, firsts: Any,
    joint: Any, candidates: Any, level: Any, out: Any,
) -> Any:  # fmt: skip
    """Measure the runs of 2 to 10 words; a run can only come again where both shorter ones inside it do."""
    total, found = starts[words], max(0, words - 1)
    for i in range(words):
        joint[i], candidates[i], level[i] = codes[i], i, 0
    for n in range(2, LONGEST + 1):
        if found == 0:
            break
        mask, best, best_chars, any_again = _table_mask(found), 1, 0, False
        stamp += np.uint32(1)
        for k in range(found):
            i = candidates[k]
            joint[i] = joint[i] * _K + codes[i + n - 1]
            key = _mixed(joint[i])
            place = _seat(keys, stamps, mask, stamp, key)
            if stamps[place] != stamp:
                stamps[place], keys[place], counts[place], firsts[place] = stamp, key, 1, i
                continue
            any_again = True
            counts[place] += 1
            level[i] = level[firsts[place]] = n
            length = starts[i + n] - starts[i]
            if counts[place] > best or (counts[place] == best and length > best_chars):
                best, best_chars = counts[place], length
        if not any_again:
            break
        if n <= 4:
            out[_FIRST_REPETITION + n - 2] = min(1.0, best * best_chars / total)
        else:
            covered, end = 0, 0
            for k in range(found):
                i = candidates[k]
                if level[i] == n:
                    covered += starts[i + n] - starts[max(i, end)]
                    end = i + n
            out[_FIRST_REPETITION + n - 2] = covered / total
        left = 0
        for k in range(found):
            i = candidates[k]
            if i + n < words and level[i] == n and level[i + 1] == n:
                candidates[left] = i
                left += 1
        found = left
    return stamp


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _scan(
    data: Any, at: int, end: int, kinds: Any, codes: Any, starts: Any, line_codes: Any, line_chars: Any,
    block_codes: Any, block_chars: Any, out: Any,
) -> Any:  # fmt: skip
    """Read a text once: count, and note each word's, line's and paragraph's code and length."""
    words = lines = blocks = chars = solid = hashes = ellipses = alphabetic = alphanumeric = 0
    sentences = braces = lorem = newlines = bullets = cut = terminal = short = stops = 0
    # What is open: a word, a line, a paragraph.
    word, packed, word_chars, word_kinds, ended = np.uint64(0), np.uint64(0), 0, 0, 0
    line, line_solid, line_first, line_last, place_in_line = np.uint64(0), 0, -1, 0, 0
    block, block_solid, last_kind, last_code = np.uint64(0), 0, 0, 0
    dots, run, last_run, bullet = 0, 0, 0, 0
    while at <= end:
        if at < end:
            code, size = np.int64(data[at]), 1
            if code >= 0x80:
                code, size = _decoded(data, at, end)
            kind = np.int64(kinds[code]) if code < kinds.size else 0
            chars += 1
        else:
            # The end closes what is open, as a newline does.
            code, size, kind = _NEWLINE, 1, SPACE
        if not kind & SPACE:
            word = (word ^ np.uint64(code + 1)) * _K
            packed = (packed << np.uint64(8)) | np.uint64(min(code, 0xFF))
            word_chars += 1
            word_kinds |= kind
            if line_first < 0:
                line_first, bullet = place_in_line, kind & BULLET
            line_last = place_in_line
            last_kind, last_code = kind, code
            if not kind & CLOSING:
                ended = kind & TERMINAL
            if code == _DOT:
                dots += 1
                run += 1
                if dots == 3:
                    ellipses += 1
                    dots = 0
            else:
                dots = run = 0
                if not kind & ALNUM:
                    hashes += code == _HASH
                    braces += code == _BRACE
                    ellipses += code == _ELLIPSIS
            last_run = run
            place_in_line += 1
            at += size
            continue
        if word_chars:
            mixed = _mixed(word)
            if words <= MOST:
                codes[words], starts[words] = mixed, solid
            solid += word_chars
            line_solid += word_chars
            words += 1
            alphabetic += (word_kinds & ALPHA) != 0
            alphanumeric += (word_kinds & ALNUM) != 0
            sentences += ended != 0
            if word_chars <= 4:
                packed |= np.uint64(0x20202020) >> np.uint64(32 - 8 * word_chars)
                for stop in range(_STOPS.size):
                    if packed == _STOPS[stop]:
                        stops |= 1 << stop
            if word_chars >= 5:
                lorem += _is_lorem(data, at - 5, end)
            line = (line + mixed) * _K
            word, packed, word_chars, word_kinds, ended = np.uint64(0), np.uint64(0), 0, 0, 0
        at += size
        place_in_line += 1
        dots = run = 0
        if code != _NEWLINE:
            continue
        newlines += at <= end
        if line_first >= 0:
            if lines < MOST:
                line_codes[lines], line_chars[lines] = _mixed(line), line_solid
            lines += 1
            bullets += bullet != 0
            cut += last_code == _ELLIPSIS or last_run >= 3
            terminal += (last_kind & (TERMINAL | QUOTE)) != 0
            short += line_last - line_first < _SHORT_LINE
            block = (block + _mixed(line)) * _K
            block_solid += line_solid
        if block_solid and (line_first < 0 or at > end):
            if blocks < MOST:
                block_codes[blocks], block_chars[blocks] = _mixed(block), block_solid
            blocks += 1
            block, block_solid = np.uint64(0), 0
        line, line_solid, line_first, line_last, place_in_line = np.uint64(0), 0, -1, 0, 0
    if words <= MOST:
        starts[words] = solid
    out[0], out[1], out[8], out[9], out[10], out[11] = chars, words, sentences, braces, lorem, lines
    for stop in range(_STOPS.size):
        out[7] += (stops >> stop) & 1
    if words:
        out[2], out[3], out[4] = solid / words, hashes / words, ellipses / words
        out[5], out[6] = alphabetic / words, alphanumeric / words
        out[12], out[13] = bullets / lines, cut / lines
        out[14], out[15], out[16] = terminal / lines, short / lines, newlines / words
    return words, lines, blocks, solid


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def measure(data: Any, offsets: Any, kinds: Any, out: Any) -> None:
    """Fill `out`, (rows, measures) float64 zeros.

    Args:
        data: UTF-8 bytes of all rows.
        offsets: (rows + 1), where each row begins and ends.
        kinds: Bits of each code point below the size of the table; no bit is set beyond it.
        out: Where the measures go.
    """
    longest = 0
    for row in range(out.shape[0]):
        longest = max(longest, offsets[row + 1] - offsets[row])
    # A word, as a line, takes two bytes, with what parts it from the next.
    most = min(longest // 2 + 1, MOST) + 2
    seats = np.int64(_table_mask(most)) + 1
    codes, starts = np.empty(most, np.uint64), np.empty(most, np.int64)
    line_codes, line_chars = np.empty(most, np.uint64), np.empty(most, np.int64)
    block_codes, block_chars = np.empty(most, np.uint64), np.empty(most, np.int64)
    joint, candidates, level = np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.int8)
    keys, stamps = np.empty(seats, np.uint64), np.zeros(seats, np.uint32)
    counts, firsts = np.empty(seats, np.int64), np.empty(seats, np.int64)
    stamp = np.uint32(0)
    for row in range(out.shape[0]):
        words, lines, blocks, solid = _scan(
            data, offsets[row], offsets[row + 1], kinds, codes, starts, line_codes, line_chars,
            block_codes, block_chars, out[row],
        )  # fmt: skip
        if words == 0:
            continue
        stamp += np.uint32(1)
        again, again_chars = _repeated(line_codes, line_chars, min(lines, MOST), keys, stamps, stamp)
        out[row, 17], out[row, 18] = again / lines, again_chars / solid
        stamp += np.uint32(1)
        again, again_chars = _repeated(block_codes, block_chars, min(blocks, MOST), keys, stamps, stamp)
        out[row, 19], out[row, 20] = again / blocks, again_chars / solid
        stamp = _runs(
            codes, starts, min(words, MOST), keys, stamps, stamp, counts, firsts, joint, candidates, level, out[row]
        )  # fmt: skip
