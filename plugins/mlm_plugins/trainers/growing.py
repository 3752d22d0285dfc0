"""Token ids of texts of which each goes on where another stopped, as a conversation does turn by turn."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from attrs import define, field

from mlm_plugins.trainers.chats import ids_of


@define(slots=False)
class Growing:
    """Tokenizes what is new of each text, from its last special token on.

    A tokenizer parts a text at its special tokens before it looks at anything else, so what stands before one has the
    tokens that it has alone. A tokenizer that does not say where its tokens stand, or a text that goes on from nothing
    known, is tokenized as a whole.
    """

    tokenizer: Any
    _text: str = field(default="", init=False)
    """What stands before the last special token of the text that was read last."""
    _ids: list[int] = field(factory=list, init=False)

    def read(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        if not (self.tokenizer.is_fast and self._special):
            return ids_of(self.tokenizer, text)
        if not text.startswith(self._text):
            self._text, self._ids = "", []
        new = text[len(self._text) :]
        ids, places = self._tokens(new)
        if self._text and not self._is_special(new, ids, places, 0):
            self._text, self._ids, new = "", [], text
            ids, places = self._tokens(new)
        whole = self._ids + ids
        last = next((n for n in range(len(ids) - 1, 0, -1) if self._is_special(new, ids, places, n)), 0)
        if last:
            self._text += new[: places[last][0]]
            self._ids = self._ids + ids[:last]
        return whole

    def _tokens(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        made = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return made["input_ids"], made["offset_mapping"]

    def _is_special(self, text: str, ids: list[int], places: list[tuple[int, int]], number: int) -> bool:
        return number < len(ids) and self._special.get(ids[number]) == text[slice(*places[number])]

    @cached_property
    def _special(self) -> dict[int, str]:
        """Special tokens that stay what they are, whatever follows them; none where one is added to each text."""
        if not self.tokenizer.chat_template:
            return {}
        known = self.tokenizer.added_tokens_decoder.items()
        return {number: one.content for number, one in known if not (one.normalized or one.single_word)}
