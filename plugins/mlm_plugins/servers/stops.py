"""Where a continuation ends by what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlm.decoding import Decoder, StopStrings


class StopWatch:
    """Watches the ids of one continuation for strings that end it."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str]) -> None:
        self._decoder, self._stops = Decoder(decode), StopStrings(stops)

    def __call__(self, token: int) -> bool:
        """Take the next id; say whether a stop string is complete now."""
        self._stops.feed(self._decoder.feed([token]))
        return self._stops.found
