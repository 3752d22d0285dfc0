"""Token ids of rows, and which of them are learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from mlm_plugins.detectors.token_ids import shared
from mlm_plugins.detectors.turns import Message, conversation, tools_of
from mlm_plugins.trainers.chats import Chat, Row, ids_of, plain, tokenized
from mlm_plugins.trainers.counting import Counts
from mlm_plugins.trainers.growing import Growing

if TYPE_CHECKING:
    import datasets

IGNORED = -100
"""Label of a token that has no loss."""


@frozen
class Answer:
    """One answer in a row's text: where it opens, and where it closes.

    Attributes:
        before: All that comes before it, with what prompts the assistant to speak.
        until: All up to its end, with the token that ends its turn.
    """

    before: str
    until: str


@frozen
class Labeller:
    """Turns rows into token ids and labels: answers are learned, with what ends their turns, and nothing else.

    Each answer opens where the row's tokens part from those of what comes before it, and closes where they part from
    those of what goes up to its end. That needs no marks in the chat template. Where a template writes an earlier
    answer otherwise once another follows it, each answer becomes a sequence of its own, as a server would ask for it.
    What comes after `max_length` is neither written apart nor looked at.

    Attributes:
        max_length: Tokens of a sequence; a longer one is cut at its end.
        name: Whose rows they are, for errors.
        counts: Of the sequences that were made.
    """

    tokenizer: Any
    max_length: int
    name: str
    counts: Counts = field(factory=Counts)

    def label(self, rows: datasets.Dataset) -> datasets.Dataset:
        """Return `input_ids` and `labels`, without sequences that are cut before an answer.

        Raises:
            DataError: A row has no answer, or the chat template refuses it; the message names the row.
        """
        return tokenized(rows, self.name, ("input_ids", "labels"), self._sequences)

    def _sequences(self, row: Row) -> Iterator[dict[str, list[int]]]:
        whole, answers, unread = self._answers(row)
        together = all(whole.startswith(one.until) for one in answers)
        self.counts.left_out(0 if together else unread)
        for text, some in [(whole, answers)] if together else [(one.until, [one]) for one in answers]:
            ids = ids_of(self.tokenizer, text)
            labels = self._labels(text, ids, some)[: self.max_length]
            if all(label == IGNORED for label in labels):
                self.counts.left_out()
                continue
            self.counts.learned(is_cut=len(ids) > self.max_length)
            yield {"input_ids": ids[: self.max_length], "labels": labels}

    def _answers(self, row: Row) -> tuple[str, list[Answer], int]:
        """Return a row as text, its answers up to the first that opens after `max_length`, and how many follow."""
        if not self.tokenizer.chat_template:
            if row.get("messages") is not None:
                raise ValueError(
                    "holds messages, and the model has no chat template; give it 'prompt' and 'completion'"
                )
            prompt, whole = plain(self.tokenizer, row, "completion")
            return whole, [Answer(prompt, whole)], 0
        messages, chat = conversation(row), Chat(self.tokenizer, tools_of(row))
        # An answer that opens the conversation has no question: it is read, and not learned.
        places = [place for place, one in enumerate(messages) if place and one["role"] == "assistant"]
        answers: list[Answer] = []
        growing = Growing(self.tokenizer)
        for place in places:
            if answers and len(growing.read(answers[-1].before)) >= self.max_length:
                return chat.text(messages[: places[-1] + 1]), answers, len(places) - len(answers)
            answers.append(self._answer(chat, messages[: place + 1]))
        return answers[-1].until, answers, 0

    def _answer(self, chat: Chat, messages: list[Message]) -> Answer:
        """Return the answer that the last message is."""
        *asked, _ = messages
        before, until = chat.text(asked, opens=True), chat.text(messages)
        if not until.startswith(before) and not until.startswith(chat.text(asked)):
            raise ValueError(
                f"cannot be masked: alone, the template writes what precedes message {len(messages)} otherwise"
            )
        return Answer(before, until)

    def _labels(self, text: str, ids: list[int], answers: Sequence[Answer]) -> list[int]:
        """Return the labels of a text's tokens."""
        growing = Growing(self.tokenizer)
        labels = self._labels_by(growing.read, ids, answers)
        # Were its tokens others when they are read turn by turn, so might be the places of the answers.
        if growing.read(text) != ids:
            labels = self._labels_by(lambda part: ids_of(self.tokenizer, part), ids, answers)
        return labels

    def _labels_by(self, read: Callable[[str], list[int]], ids: list[int], answers: Sequence[Answer]) -> list[int]:
        labels = [IGNORED] * len(ids)
        for answer in answers:
            start, end = shared(read(answer.before), ids), shared(read(answer.until), ids)
            labels[start:end] = ids[start:end]
        return labels
