"""Token ids of preferences: what is asked, and the two answers to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from mlm_plugins.detectors.token_ids import shared
from mlm_plugins.detectors.turns import preference, tools_of
from mlm_plugins.trainers.chats import Chat, Row, ids_of, plain, tokenized
from mlm_plugins.trainers.counting import Counts

if TYPE_CHECKING:
    import datasets


@frozen
class Pairs:
    """Turns rows with `prompt`, `chosen` and `rejected` into token ids.

    Attributes:
        max_length: Tokens of a prompt with an answer; a prompt that fills them leaves no answer to learn from.
        name: Whose rows they are, for errors.
        counts: Of the sequences that were made: one a row, cut where one of its answers is.
    """

    tokenizer: Any
    max_length: int
    name: str
    counts: Counts = field(factory=Counts)

    def tokens(self, rows: datasets.Dataset) -> datasets.Dataset:
        """Return `prompt_ids`, `chosen_ids` and `rejected_ids`, by TRL's names, without rows whose prompt is too long.

        Raises:
            DataError: A row has no prompt or answer, or the chat template refuses it; the message names the row.
        """
        return tokenized(rows, self.name, ("prompt_ids", "chosen_ids", "rejected_ids"), self._pair)

    def _pair(self, row: Row) -> Iterator[dict[str, list[int]]]:
        before, *wholes = (ids_of(self.tokenizer, text) for text in self._texts(row))
        chosen, rejected = wholes
        # An answer opens where its tokens part from those of the prompt, as in `sft`.
        opens = min(shared(before, chosen), shared(before, rejected))
        if opens >= self.max_length:
            self.counts.left_out()
        else:
            self.counts.learned(is_cut=max(len(chosen), len(rejected)) > self.max_length)
            yield {"prompt_ids": chosen[:opens], "chosen_ids": chosen[opens:], "rejected_ids": rejected[opens:]}

    def _texts(self, row: Row) -> tuple[str, str, str]:
        """Return the prompt, and the prompt with each answer."""
        if not self.tokenizer.chat_template:
            return *plain(self.tokenizer, row, "chosen"), plain(self.tokenizer, row, "rejected")[1]
        chat = Chat(self.tokenizer, tools_of(row))
        asked, good, bad = preference(row)
        return chat.text(asked, opens=True), chat.text(asked + good), chat.text(asked + bad)
