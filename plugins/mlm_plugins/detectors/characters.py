"""What kinds of characters there are, as a table for compiled code."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA, ALNUM, SPACE, TERMINAL, QUOTE, CLOSING, BULLET = 1, 2, 4, 8, 16, 32, 64
"""Kinds of characters, as bits."""
TERMINALS = ".!?\u2026\u3002\uff01\uff1f\uff0e\u061f\u06d4\u0964\u0965\u1362\u203c\u203d\u2047\u2048\u2049"
"""Marks that end a sentence."""
QUOTES = "\"'\u2019\u201d\u00bb\u203a\u300d\u300f"
"""Quotation marks that may follow it."""
BRACKETS = ")]}"
BULLETS = "-*\u2022\u2023\u25e6\u25aa\u25ab\u25cf\u25cb\u25a0\u25a1\u2013"
_LIMIT = 0x34000
"""Beyond it Unicode has assigned neither letters, digits nor white space."""


@cache
def kinds() -> NDArray[np.uint8]:
    """Return the kinds of each code point: letters, digits and white space as `str` knows them."""
    import numpy as np

    found = np.zeros(_LIMIT, np.uint8)
    for code in range(_LIMIT):
        character = chr(code)
        if character.isalnum():
            found[code] = ALNUM | ALPHA if character.isalpha() else ALNUM
        elif character.isspace():
            found[code] = SPACE
    for characters, bits in (
        (TERMINALS, TERMINAL), (QUOTES, QUOTE | CLOSING), (BRACKETS, CLOSING), (BULLETS, BULLET),
    ):  # fmt: skip
        for character in characters:
            found[ord(character)] |= bits
    return found
