"""Where personal data may start, found in one compiled pass over the UTF-8 bytes of a column.

The places are some of those that `pii.find` looks at, and all at which it finds something: the pass knows for each
entity what it cannot do without, such as seven digits in a row of groups. Most rows have none, and stay bytes.
"""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from mlm_plugins.detectors.compiled import compiled

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

DIGIT, LETTER, AT, COLON, DOT = 1, 2, 4, 8, 16
HEX, LINK, SIGN = 32, 64, 128
"""LINK: what may stand between the digits of one number. SIGN: what may stand before its first."""


def _classes() -> Bytes:
    classes = np.zeros(256, np.uint8)
    for flag, members in (
        (DIGIT, "0123456789"), (LETTER, string.ascii_letters), (AT, "@"), (COLON, ":"),
        (DOT, "."), (HEX, "0123456789abcdefABCDEF"), (LINK, "0123456789 ().-/"), (SIGN, "(+"),
    ):  # fmt: skip
        for member in members.encode():
            classes[member] |= flag
    return classes


CLASSES = _classes()
_FEWEST_DIGITS = 7
_WALLET = 25
_UPPER_A, _UPPER_Z, _CONTINUATION = ord("A"), ord("Z"), 0x80
_UNDERSCORE, _DOT, _PLUS, _COLON, _SLASH = (ord(character) for character in "_.+:/")
_X, _Z, _B, _C, _W = (ord(character) for character in "XZBCW")
_LOWER = 32


@compiled
def free(data: Bytes, place: int, start: int, classes: Bytes) -> bool:
    """Return whether no word goes on at a place: what a detector's start looks back at."""
    if place == start:
        return True
    return not classes[data[place - 1]] & (DIGIT | LETTER) and data[place - 1] not in (_UNDERSCORE, _DOT, _PLUS)


@compiled
def before(data: Bytes, place: int, start: int, classes: Bytes, flag: int, most: int) -> int:
    """Return where the run of a class starts that ends at a place, `most` bytes before it at the earliest."""
    first = place
    while first > start and place - first < most and classes[data[first - 1]] & flag:
        first -= 1
    return first


@compiled
def upper(data: Bytes, start: int, end: int) -> bool:
    """Return whether all bytes are capital letters."""
    capitals = 0
    for place in range(start, end):
        capitals += _UPPER_A <= data[place] <= _UPPER_Z
    return capitals == end - start


@compiled
def number(data: Bytes, place: int, end: int, classes: Bytes) -> bool:
    """Return whether a number may start at this digit: enough digits in groups, four of an address, a wallet's word."""
    digits, dots, at = 0, 0, place
    while at < end and classes[data[at]] & LINK:
        if classes[data[at]] & DIGIT:
            digits += 1
        elif data[at] == _DOT:
            dots += 1
        if digits >= _FEWEST_DIGITS or (dots >= 3 and digits >= 4):
            return True
        at += 1
    at = place
    while at < end and classes[data[at]] & (DIGIT | LETTER):
        at += 1
    return at - place >= _WALLET


@compiled
def address(data: Bytes, colon: int, end: int, classes: Bytes) -> bool:
    """Return whether what follows a colon may be of an address of version 6: six colons, or two in a row."""
    colons, at = 1, colon + 1
    while at < end and (classes[data[at]] & (HEX | COLON)):
        if data[at] == _COLON:
            colons += 1
            if colons == 6 or data[at - 1] == _COLON:
                return True
        at += 1
    return False


@compiled
def worded(data: Bytes, digit: int, start: int, end: int, classes: Bytes) -> int:
    """Return where the word starts whose first digit is at `digit`, if an entity may; else -1."""
    at = before(data, digit, start, classes, LETTER, 7)
    size = digit - at
    if not free(data, at, start, classes):
        return -1
    if size == 2:
        account = upper(data, at, digit) and digit + 1 < end and classes[data[digit + 1]] & DIGIT
        return at if account or (data[at] & ~_LOWER == _B and data[at + 1] & ~_LOWER == _C) else -1
    if size == 6:
        return at if upper(data, at, digit) else -1
    return at if size == 1 and _X <= data[at] <= _Z else -1


@compiled
def named(data: Bytes, colon: int, start: int, end: int, classes: Bytes, new: Places) -> int:
    """Write where a scheme starts that `://` follows."""
    if colon + 2 >= end or data[colon + 1] != _SLASH or data[colon + 2] != _SLASH:
        return 0
    new[0] = before(data, colon, start, classes, LETTER, 6)
    return 1 if free(data, new[0], start, classes) else 0


@compiled
def starting(data: Bytes, at: int, start: int, end: int, classes: Bytes, urls: bool, new: Places) -> int:
    """Write the places that the byte at `at`, which is one to stop at, says something of, and return how many."""
    kind, count = classes[data[at]], 0
    if kind & AT:
        new[0], count = at, 1
    elif kind & COLON:
        first = before(data, at, start, classes, HEX, 5)
        if 0 < at - first < 5 and free(data, first, start, classes) and address(data, at, end, classes):
            new[0], count = first, 1
        if urls:
            count += named(data, at, start, end, classes, new[count:])
    elif kind & DOT:
        www = at - start >= 3 and free(data, at - 3, start, classes)
        if www and data[at - 1] & ~_LOWER == data[at - 2] & ~_LOWER == data[at - 3] & ~_LOWER == _W:
            new[0], count = at - 3, 1
    elif at > start and classes[data[at - 1]] & LETTER:
        new[0] = worded(data, at, start, end, classes)
        count = 1 if new[0] >= 0 else 0
    elif number(data, at, end, classes):
        if free(data, at, start, classes):
            new[0], count = at, 1
        if at > start and classes[data[at - 1]] & SIGN and free(data, at - 1, start, classes):
            new[count] = at - 1
            count += 1
    return count


@compiled
def places(data: Bytes, offsets: Places, classes: Bytes, urls: bool) -> tuple[Places, Places]:
    """Return row and place of each, the place in characters from the row's start.

    Args:
        data: UTF-8 of all rows. Other bytes do no harm.
        offsets: One more than there are rows.
    """
    rows, found, count = np.empty(1024, np.int64), np.empty(1024, np.int64), 0
    stops = DIGIT | AT | COLON | (DOT if urls else 0)
    new = np.empty(3, np.int64)
    for row in range(offsets.size - 1):
        start, end = offsets[row], offsets[row + 1]
        at, mark, characters = start, start, 0
        while at < end:
            # A loop of its own, or LLVM leaves the counting of references in it: 30 times as slow.
            while at < end and not classes[data[at]] & stops:
                at += 1
            if at == end:
                break
            fresh = starting(data, at, start, end, classes, urls, new)
            word = classes[data[at]] & DIGIT
            at += 1
            while word and at < end and classes[data[at]] & (DIGIT | LETTER):
                at += 1
            for place in new[:fresh]:
                # Characters are counted from the last place on, so that all of it stays linear.
                for byte in range(mark, place):
                    characters += (data[byte] & 0xC0) != _CONTINUATION
                for byte in range(place, mark):
                    characters -= (data[byte] & 0xC0) != _CONTINUATION
                mark = place
                if count == rows.size:
                    rows, found = np.append(rows, np.empty_like(rows)), np.append(found, np.empty_like(found))
                rows[count], found[count] = row, characters
                count += 1
    return rows[:count], found[:count]
