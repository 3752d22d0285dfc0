"""What quality rules are about, measured in one pass over the UTF-8 bytes of a column; compiled with numba.

A word is a run without white space, a line what newlines enclose, blank ones aside, a paragraph a run of lines without
a blank one between. Lines and paragraphs are equal where their words are. Shares of characters leave white space out.
Repetition is as RedPajama-V2 has it (Weber et al. 2024): every occurrence counts, and no character twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlm_plugins.detectors.characters import ALNUM, ALPHA, BULLET, CLOSING, QUOTE, SPACE, TERMINAL
from mlm_plugins.detectors.compiled import compiled
from mlm_plugins.detectors.repetition import FACTOR, measure_runs, repeated, spread

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
_SHORT_LINE = 30
_FIRST_RUNS = MEASURES.index("top_2gram_chars")
_NEWLINE, _HASH, _DOT, _BRACE, _ELLIPSIS = ord("\n"), ord("#"), ord("."), ord("{"), 0x2026
_int: Any = np.int64
_LOREM = np.frombuffer(b"lorem ipsum", np.uint8)
# Each word's letters in one number, at the place that its product with FACTOR names: no two share one.
_STOPS = np.zeros(16, np.uint64)
_SHIFT = 58
for _word in STOP_WORDS:
    _letters = int.from_bytes(_word.encode(), "big")
    _STOPS[(_letters * int(FACTOR) >> _SHIFT) % 16] = _letters


@compiled
def _decoded(data: Any, at: int, end: int) -> Any:
    """Return the code point at a place of UTF-8 bytes, and how many bytes it takes; broken bytes read as one each."""
    lead = data[at]
    if lead < 0x80:
        return _int(lead), 1
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC0 or at + size > end:
        return _int(0xFFFD), 1
    code = _int(lead) & (0x7F >> size)
    for place in range(at + 1, at + size):
        code = (code << 6) | (_int(data[place]) & 0x3F)
    return code, size


@compiled
def _is_lorem(data: Any, at: int, end: int) -> bool:
    if at + _LOREM.size > end:
        return False
    for place in range(_LOREM.size):
        letter = data[at + place]
        if (letter | 0x20 if letter >= 0x40 else letter) != _LOREM[place]:
            return False
    return True


@compiled
def _scan(data: Any, at: int, end: int, kinds: Any, words_of: Any, lines_of: Any, blocks_of: Any, out: Any) -> Any:
    """Read a text once: count, and note each word's, line's and paragraph's code and length."""
    codes, starts = words_of
    line_codes, line_chars = lines_of
    block_codes, block_chars = blocks_of
    words = lines = blocks = chars = solid = hashes = ellipses = alphabetic = alphanumeric = 0
    sentences = braces = lorem = newlines = bullets = cut = terminal = short = stops = 0
    # The open line and paragraph.
    line, line_solid, line_first, line_last, place_in_line, bullet = np.uint64(0), 0, -1, 0, 0, 0
    block, block_solid, last_kind, last_code, last_run = np.uint64(0), 0, 0, 0, 0
    while at <= end:
        word, packed, word_chars, word_kinds, ended, dots, run = np.uint64(0), np.uint64(0), 0, 0, 0, 0, 0
        while True:
            # Nearly all characters are letters in ASCII; what else there is comes below.
            begin = at
            while at < end and data[at] < 0x80:
                kind = _int(kinds[data[at]])
                if not kind & ALNUM:
                    break
                word = (word ^ np.uint64(data[at] + 1)) * FACTOR
                packed = (packed << np.uint64(8)) | np.uint64(data[at] | 0x20)
                word_kinds |= kind
                at += 1
            if at > begin:
                if line_first < 0:
                    line_first, bullet = place_in_line, 0
                word_chars += at - begin
                last_code, last_kind = _int(data[at - 1]), 0
                ended = dots = run = 0
            if at == end:
                # The end closes what is open, as a newline does.
                code, size, kind = _NEWLINE, 1, SPACE
                break
            code, size = _int(data[at]), 1
            if code >= 0x80:
                code, size = _decoded(data, at, end)
            kind = _int(kinds[code]) if code < kinds.size else 0
            if kind & SPACE:
                chars += 1
                break
            if line_first < 0:
                line_first, bullet = place_in_line, kind & BULLET
            word = (word ^ np.uint64(code + 1)) * FACTOR
            packed = (packed << np.uint64(8)) | np.uint64(0xFF)
            word_kinds |= kind
            word_chars += 1
            at += size
            last_code, last_kind = code, kind
            if not kind & CLOSING:
                ended = kind & TERMINAL
            if code == _DOT:
                run += 1
                dots += 1
                if dots == 3:
                    ellipses += 1
                    dots = 0
            else:
                dots = run = 0
                hashes += code == _HASH
                braces += code == _BRACE
                ellipses += code == _ELLIPSIS
        if word_chars:
            mixed = spread(word)
            if words <= MOST:
                codes[words], starts[words] = mixed, solid
            chars += word_chars
            solid += word_chars
            line_solid += word_chars
            place_in_line += word_chars
            line_last, last_run = place_in_line, run
            words += 1
            alphabetic += (word_kinds & ALPHA) != 0
            alphanumeric += (word_kinds & ALNUM) != 0
            sentences += ended != 0
            seat = _int((packed * FACTOR) >> np.uint64(_SHIFT)) & (_STOPS.size - 1)
            stops |= _int(_STOPS[seat] == packed) << seat
            if last_code | 0x20 == _LOREM[4] and word_chars > 4:
                lorem += _is_lorem(data, at - 5, end)
            line = (line + mixed) * FACTOR
        at += size
        place_in_line += 1
        if code != _NEWLINE:
            continue
        newlines += at <= end
        if line_first >= 0:
            if lines < MOST:
                line_codes[lines], line_chars[lines] = spread(line), line_solid
            lines += 1
            bullets += bullet != 0
            cut += last_code == _ELLIPSIS or last_run >= 3
            terminal += (last_kind & (TERMINAL | QUOTE)) != 0
            short += line_last - line_first <= _SHORT_LINE
            block = (block + spread(line)) * FACTOR
            block_solid += line_solid
        if block_solid and (line_first < 0 or at > end):
            if blocks < MOST:
                block_codes[blocks], block_chars[blocks] = spread(block), block_solid
            blocks += 1
            block, block_solid = np.uint64(0), 0
        line, line_solid, line_first, place_in_line = np.uint64(0), 0, -1, 0
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


@compiled
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
    seats = 8
    while seats < 2 * most:
        seats *= 2
    table = np.empty(seats, np.int32)
    words_of = (np.empty(most, np.uint64), np.empty(most, np.int64))
    lines_of = (np.empty(most, np.uint64), np.empty(most, np.int64))
    blocks_of = (np.empty(most, np.uint64), np.empty(most, np.int64))
    scratch = (
        np.empty(most, np.uint64), np.empty(most, np.uint64), np.empty(most, np.int32), np.empty(most, np.int32),
        np.empty(most, np.int8),
    )  # fmt: skip
    for row in range(out.shape[0]):
        words, lines, blocks, solid = _scan(
            data, offsets[row], offsets[row + 1], kinds, words_of, lines_of, blocks_of, out[row]
        )
        if words == 0:
            continue
        again, again_chars = repeated(lines_of[0], lines_of[1], min(lines, MOST), table)
        out[row, 17], out[row, 18] = again / lines, again_chars / solid
        again, again_chars = repeated(blocks_of[0], blocks_of[1], min(blocks, MOST), table)
        out[row, 19], out[row, 20] = again / blocks, again_chars / solid
        measure_runs(words_of[0], words_of[1], min(words, MOST), table, scratch, out[row, _FIRST_RUNS:])
