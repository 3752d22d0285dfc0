"""One completion from token ids to the text that leaves: decode, stop strings, guards, postprocessors."""

from __future__ import annotations

from collections.abc import Sequence

from mlm.decoding import Decoder, StopStrings
from mlm.serving import Postprocessor, Tokenizer
from mlm_plugins.targets.gateway.guarding import GuardedText, Guarding


class CompletionText:
    """Takes token ids as they are made and gives the text that may leave."""

    def __init__(
        self, tokenizer: Tokenizer, stops: Sequence[str], guarding: Guarding, postprocessors: Sequence[Postprocessor]
    ) -> None:
        self._decoder = Decoder(tokenizer.decode)
        self._stops = StopStrings(stops)
        self._guarded = GuardedText(guarding)
        self._posts = [postprocessor.open() for postprocessor in postprocessors]

    @property
    def stopped(self) -> bool:
        """True when a stop string was found or a guard blocked: further tokens would be wasted."""
        return self._stops.found or self._guarded.blocked

    @property
    def blocked(self) -> bool:
        """True when a guard blocked."""
        return self._guarded.blocked

    async def feed(self, ids: Sequence[int]) -> str:
        """Take new ids and return new text."""
        text = await self._guarded.feed(self._stops.feed(self._decoder.feed(ids)))
        return self._shape(text)

    async def close(self) -> str:
        """Return what was held back; the completion is over."""
        rest = "" if self._stops.found else self._stops.feed(self._decoder.close())
        if not self._stops.found:
            rest += self._stops.close()
        text = await self._guarded.feed(rest) + await self._guarded.close()
        if not self._guarded.blocked:
            return self._finish(text)
        return self._shape(text)

    def _shape(self, text: str) -> str:
        for post in self._posts:
            if not text:
                return ""
            text = post.feed(text)
        return text

    def _finish(self, text: str) -> str:
        for post in self._posts:
            text = (post.feed(text) if text else "") + post.close()
        return text
