"""Asks a model for greedy answers to the prompts of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

import mlm
from mlm.transcripts import written
from mlm_plugins.detectors.templates import has_chat_template
from mlm_plugins.detectors.turns import exchange, tools_of

BATCH = 64


@frozen
class Question:
    """One row of an evaluation set: what is asked, and the right answer."""

    row_id: str
    asked: tuple[mlm.Message, ...]
    completion: str = ""
    label: str = ""

    @property
    def prompt(self) -> str:
        """What was said last, which is to be answered."""
        return self.asked[-1].get("content") or ""

    @property
    def told(self) -> str:
        """All that is asked: the prompt, or where there is more, a line for each message with its role."""
        return self.prompt if len(self.asked) == 1 else "\n".join(map(written, self.asked))

    def asking(self, prompt: str) -> Question:
        """Return the same question with another prompt."""
        return evolve(self, asked=(*self.asked[:-1], {**self.asked[-1], "content": prompt}))


@frozen
class Answered:
    """A question and what the model said.

    Attributes:
        unanswered: Why it said nothing: what is asked does not fit the model. Empty where it was asked.
    """

    question: Question
    answer: str
    unanswered: str = ""

    @property
    def is_right(self) -> bool:
        """Whether the answer is that of the data; no answer is not."""
        return not self.unanswered and same(self.answer, self.question.completion)

    def example(self, score: float | None = None) -> mlm.Example:
        """Return what the report keeps of it."""
        q = self.question
        said = f"[not answered: {self.unanswered}]" if self.unanswered else self.answer
        return mlm.Example(q.row_id, q.told, said, q.completion, score, q.label)


def questions(data: mlm.Dataset, *, completions: bool = True) -> list[Question]:
    """Read the rows of an evaluation set: `messages`, or `prompt` with `completion`, or `chosen` in preference data.

    Of a conversation the last answer of the assistant is the right one, and all that was said before it is asked.
    """
    found = [question(row, data, completions=completions) for row in data.rows()]
    if not found:
        raise mlm.DataError(f"{_name(data)} has no rows to evaluate on")
    return found


def question(row: Mapping[str, Any], data: mlm.Dataset, *, completions: bool = True) -> Question:
    """Read one row; DataError names it where it lacks something."""
    if row.get("messages") is None and row.get("prompt") is None:
        wanted = "messages, or prompt and completion" if completions else "messages or prompt"
        raise mlm.DataError(f"row {row.get('row_id')} of {_name(data)} lacks {wanted}; it has {sorted(row)}")
    try:
        asked, completion = exchange(row)
        if tools_of(row):
            raise ValueError("offers tools, which evaluators do not tell a model of: leave such rows out")
        if completions and completion is None:
            raise ValueError(f"lacks an answer to compare with; it has {sorted(row)}")
    except ValueError as error:
        raise mlm.DataError(f"row {row.get('row_id')} of {_name(data)} {error}") from error
    return Question(str(row.get("row_id", "")), tuple(asked), completion or "", row.get("label") or "")


def _name(data: mlm.Dataset) -> str:
    return data.ref or data.path.name


def ask(
    model: mlm.Model, asked: Sequence[Question], context: mlm.Context, *, max_tokens: int
) -> tuple[list[Answered], mlm.Engine]:
    """Return the model's greedy answers, and the engine that gave them; what does not fit the model has none."""
    engine = context.load(model)
    encoded = encode(model, engine, asked)
    answered = [Answered(one, "", misfit(engine, ids)) for one, ids in zip(asked, encoded, strict=True)]
    fitting = [place for place, one in enumerate(answered) if not one.unanswered]
    for start in range(0, len(fitting), BATCH):
        places = fitting[start : start + BATCH]
        replies = engine.generate([encoded[place] for place in places], mlm.Sampling(max_tokens=max_tokens))
        for place, reply in zip(places, replies, strict=True):
            answered[place] = Answered(asked[place], reply.text.strip())
        context.progress(start + len(places), len(fitting))
    return answered, engine


def reported(
    measures: Iterable[mlm.Measure],
    examples: Iterable[mlm.Example],
    answered: Sequence[Answered],
    engine: mlm.Engine,
    **details: Any,
) -> mlm.Report:
    """Return a report that counts the unanswered prompts in each note, and names their rows in its details."""
    told = {"backend": engine.backend, **details}
    without = [one for one in answered if one.unanswered]
    if not without:
        return mlm.Report(tuple(measures), tuple(examples), told)
    told["unanswered"] = [{"row_id": one.question.row_id, "reason": one.unanswered} for one in without]
    note = f"{len(without)} of {len(answered)} prompts are not answered: the model does not take them"
    noted = (evolve(one, note="; ".join(filter(None, (one.note, note)))) for one in measures)
    return mlm.Report(tuple(noted), tuple(examples), told)


def encode(model: mlm.Model, engine: mlm.Engine, asked: Iterable[Question]) -> list[list[int]]:
    """Return token ids of what is asked: by the chat template where the model has one, as plain text where not."""
    if has_chat_template(model.path):
        return [chat(engine, one.asked, one) for one in asked]
    return [engine.tokenizer.encode(_plain(one, model)) for one in asked]


def chat(engine: mlm.Engine, messages: Sequence[mlm.Message], one: Question) -> list[int]:
    """Return token ids of messages by the chat template; DataError names the row where it refuses them."""
    try:
        return engine.tokenizer.chat(messages)
    except mlm.DataError as error:
        raise mlm.DataError(f"row {one.row_id}: {error}") from error


def misfit(engine: mlm.Engine, ids: Sequence[int]) -> str:
    """Say why an engine cannot answer a prompt; nothing where it can."""
    most = engine.max_length - 1
    return "" if 0 < len(ids) <= most else f"the prompt has {len(ids)} tokens; the model takes 1 to {most}"


def _plain(one: Question, model: mlm.Model) -> str:
    if len(one.asked) > 1:
        told = f"row {one.row_id} holds a conversation of {len(one.asked)} messages, and {model.ref or model.path.name}"
        raise mlm.DataError(
            f"{told} has no chat template; take rows of one message, or a model that was trained to chat"
        )
    return one.prompt


def same(answer: str, expected: str) -> bool:
    """Compare two answers without regard to case and white space."""
    return normalized(answer) == normalized(expected)


def normalized(text: str) -> str:
    """Fold case and white space."""
    return " ".join(text.casefold().split())
