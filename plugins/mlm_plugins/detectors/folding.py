"""What a character counts as when texts are compared."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEPARATOR = "\x1f"
"""Stands between a row's columns; it counts as a word, so that no text moves from one column into another."""
_CODES = 0x20000
_NUL = 0x110000
"""What NUL counts as, for 0 is white space: a code that is no character's."""
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x312F), (0x31A0, 0x9FFF), (0xA000, 0xA4CF),
    (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B2FF),
)  # fmt: skip
"""Scripts that are written without spaces (Thai, Lao, Burmese, Khmer, Han, kana, Yi): each character is a word."""


@cache
def folding(punctuation: bool = True) -> NDArray[np.uint32]:
    """Return the code that each code point counts as, 0 for white space.

    Letters count in lower case, one character at a time: `\u00df` is not `ss`. Without `punctuation`, all but letters
    and digits is white space.
    """
    import numpy as np

    from mlm_plugins.detectors.kernels import ALONE

    found = np.array([_code(chr(code), punctuation) for code in range(_CODES)], np.uint32)
    for first, last in _UNSPACED:
        part = found[first : last + 1]
        part[part > 0] |= np.uint32(ALONE)
    found[ord(SEPARATOR)] = ord(SEPARATOR) | int(ALONE)
    return found


def _code(char: str, punctuation: bool) -> int:
    if char.isspace() or not (punctuation or char.isalnum()):
        return 0
    lower = char.lower()
    return (ord(lower) if len(lower) == 1 else ord(char)) or _NUL
