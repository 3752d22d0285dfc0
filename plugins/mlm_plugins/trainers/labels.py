"""Token ids of rows, and which of them are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

import mlm
from mlm_plugins.trainers.conversations import Message, conversation, tools_of

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

    Attributes:
        max_length: Tokens of a sequence; a longer one is cut at its end.
        name: Whose rows they are, for errors.
    """

    tokenizer: Any
    max_length: int
    name: str

    def label(self, rows: datasets.Dataset) -> datasets.Dataset:
        """Return `input_ids` and `labels`, without sequences that are cut before an answer.

        Raises:
            DataError: A row has no answer, or the chat template refuses it; the message names the row.
        """
        import datasets

        ids = datasets.Sequence(datasets.Value("int32"))
        kinds = datasets.Features({"input_ids": ids, "labels": ids})
        return rows.map(self._batch, batched=True, remove_columns=rows.column_names, features=kinds)

    def _batch(self, batch: dict[str, list[Any]]) -> dict[str, list[list[int]]]:
        found = []
        for values in zip(*batch.values(), strict=True):
            row = dict(zip(batch, values, strict=True))
            try:
                answers = self._answers(row)
            except ValueError as error:
                raise mlm.DataError(f"row {row['row_id']} of {self.name} {error}") from error
            found += [self._sequence(one) for one in _together(answers)]
        kept = [(ids, labels) for ids, labels in found if any(label != IGNORED for label in labels)]
        return {"input_ids": [ids for ids, _ in kept], "labels": [labels for _, labels in kept]}

    def _answers(self, row: dict[str, Any]) -> list[Answer]:
        messages = conversation(row)
        if self.tokenizer.chat_template:
            chat = _Chat(self.tokenizer, messages, tools_of(row))
            # An answer that opens the conversation has no question: it is read, and not learned.
            return [chat.answer(place) for place, one in enumerate(messages) if place and one["role"] == "assistant"]
        if row.get("messages") is not None or not isinstance(row["prompt"], str):
            raise ValueError("holds messages, and the model has no chat template; give it 'prompt' and 'completion'")
        end = self.tokenizer.eos_token
        return [Answer(row["prompt"], row["prompt"] + row["completion"].removesuffix(end) + end)]

    def _sequence(self, answers: Sequence[Answer]) -> tuple[list[int], list[int]]:
        ids = self._ids(answers[-1].until)
        labels = [IGNORED] * len(ids)
        for answer in answers:
            start = _shared(self._ids(answer.before), ids)
            if start >= self.max_length:
                break
            end = _shared(self._ids(answer.until), ids)
            labels[start:end] = ids[start:end]
        return ids[: self.max_length], labels[: self.max_length]

    def _ids(self, text: str) -> list[int]:
        # A chat template writes the special tokens itself.
        special = not self.tokenizer.chat_template
        return self.tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"]  # type: ignore[no-any-return]


@frozen
class _Chat:
    """A conversation in the words of the model's chat template; ValueError says what the template refuses."""

    tokenizer: Any
    messages: list[Message]
    tools: Any

    def answer(self, place: int) -> Answer:
        """Return the answer that a message is."""
        asked, answered = self.messages[:place], self.messages[: place + 1]
        if "tool_calls" in answered[-1] and "tool_calls" not in self.tokenizer.get_chat_template(tools=self.tools):
            raise ValueError(
                f"calls a tool in message {place + 1}, which the chat template cannot write; leave the row out"
            )
        before, until = self._text(asked, opens=True), self._text(answered)
        if not until.startswith(before) and not until.startswith(self._text(asked)):
            raise ValueError(
                f"cannot be masked: alone, the template writes what precedes message {place + 1} otherwise"
            )
        return Answer(before, until)

    def _text(self, messages: list[Message], *, opens: bool = False) -> str:
        from jinja2 import TemplateError

        try:
            text = self.tokenizer.apply_chat_template(
                messages, tools=self.tools, tokenize=False, add_generation_prompt=opens
            )
        except (TemplateError, TypeError) as error:
            raise ValueError(f"is refused by the model's chat template: {error}") from error
        return str(text)


def _together(answers: list[Answer]) -> list[list[Answer]]:
    """Put the answers of one text together, else leave each to itself."""
    whole = answers[-1].until
    return [answers] if all(whole.startswith(one.until) for one in answers) else [[one] for one in answers]


def _shared(some: list[int], others: list[int]) -> int:
    """Count the tokens that two sequences have in common from their start."""
    pairs = zip(some, others, strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(some), len(others)))
