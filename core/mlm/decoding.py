"""Token ids to text as they come, and the end that a stop string makes.

Both give the same text however the ids or the text were cut into pieces. Engines and gateways share them, so that an
evaluation sees the text that would be served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

_WINDOW = 24
"""Tokens that are decoded together: decoding the whole answer for each token would be quadratic."""


class Decoder:
    """Turns token ids into text piece by piece; a character that is not complete yet stays inside."""

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._given = 0
        self._clean = 0

    def feed(self, ids: Sequence[int]) -> str:
        """Take the next ids and return the text that they complete."""
        self._ids += ids
        text = self._decode(self._ids)
        if text.endswith("\ufffd"):
            return ""
        piece, self._given = text[self._given :], len(text)
        if len(self._ids) > _WINDOW:
            self._shorten()
        else:
            self._clean = len(self._ids)
        return piece

    def _shorten(self) -> None:
        """Keep only the tokens of the last piece: some tokenizers decode a token by what stands before it."""
        self._ids = self._ids[self._clean :]
        self._clean, self._given = len(self._ids), len(self._decode(self._ids))

    def close(self) -> str:
        """Return what never became a whole character."""
        return self._decode(self._ids)[self._given :]


class StopStrings:
    """Ends a text before the stop string that is complete first; holds back what may become one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(filter(None, stops))
        self._held = ""
        self.found = False

    def feed(self, text: str) -> str:
        """Take the next piece of text and return what may leave."""
        if not self._stops:
            return text
        text = self._held + text
        ends = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.found, self._held = True, ""
            return text[: min(ends)[1]]
        kept = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def close(self) -> str:
        """Return what was held back and became no stop string."""
        return self._held


def cut(text: str, stops: Sequence[str]) -> str:
    """Return the text before the stop string that is complete first."""
    stream = StopStrings(stops)
    return stream.feed(text) + ("" if stream.found else stream.close())


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    lengths = range(min(len(stop) - 1, len(text)), 0, -1)
    return next((n for n in lengths if text.endswith(stop[:n])), 0)
