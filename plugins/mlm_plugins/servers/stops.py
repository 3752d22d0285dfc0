"""Stop strings: where a continuation ends by what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Decode = Callable[[Sequence[int]], str]


class GrowingText:
    """The text of a growing list of ids, at a constant cost a token.

    Only the ids since the last but one clean cut are decoded: a decoder may need the token before, for a space, and the
    token after, for the rest of a character.
    """

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._known = 0

    def add(self, token: int) -> str:
        """Take the next id; return the text that is certain now, or nothing."""
        self._ids.append(token)
        before, after = self._decode(self._ids[: self._known]), self._decode(self._ids)
        if len(after) <= len(before) or after.endswith("\N{REPLACEMENT CHARACTER}"):
            return ""
        self._ids = self._ids[self._known :]
        self._known = len(self._ids)
        return after[len(before) :]


class StopStrings:
    """Watches one continuation for strings that end it."""

    def __init__(self, decode: Decode, stop: Sequence[str]) -> None:
        self._text = GrowingText(decode)
        self._stop = tuple(filter(None, stop))
        self._reach = max(map(len, self._stop), default=1) - 1
        self._tail = ""

    def __call__(self, token: int) -> bool:
        """Take the next id; say whether a stop string is complete now."""
        window = self._tail + self._text.add(token)
        self._tail = window[-self._reach :] if self._reach else ""
        return any(string in window for string in self._stop)


def cut(text: str, stop: Sequence[str]) -> str:
    """Return the text before the first stop string."""
    places = [text.find(string) for string in stop if string]
    return text[: min((place for place in places if place >= 0), default=len(text))]
