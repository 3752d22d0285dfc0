"""Asks a model for greedy answers to the prompts of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

import mlm
from mlm_plugins.detectors.templates import has_chat_template

BATCH = 64


@frozen
class Question:
    """One row of an evaluation set."""

    row_id: str
    prompt: str
    completion: str = ""
    label: str = ""


@frozen
class Answered:
    """A question and what the model said."""

    question: Question
    answer: str

    def example(self, score: float | None = None) -> mlm.Example:
        """Return what the report keeps of it."""
        q = self.question
        return mlm.Example(q.row_id, q.prompt, self.answer, q.completion, score, q.label)


def questions(data: mlm.Dataset, *, completions: bool = True) -> list[Question]:
    """Read the rows of an evaluation set; the right answer is `completion`, or `chosen` in preference data."""
    name = data.ref or data.path.name
    found = [_question(row, name, completions) for row in data.rows()]
    if not found:
        raise mlm.DataError(f"{name} has no rows to evaluate on")
    return found


def _question(row: dict[str, str | None], name: str, completions: bool) -> Question:
    prompt, completion = row.get("prompt"), row.get("completion")
    completion = row.get("chosen") if completion is None else completion
    if prompt is None or (completions and completion is None):
        wanted = "prompt and completion" if completions else "prompt"
        raise mlm.DataError(f"row {row.get('row_id')} of {name} lacks {wanted}; it has {sorted(row)}")
    return Question(str(row.get("row_id", "")), prompt, completion or "", row.get("label") or "")


def ask(
    model: mlm.Model, asked: Sequence[Question], context: mlm.Context, *, max_tokens: int
) -> tuple[list[Answered], mlm.Engine]:
    """Return the model's greedy answers, and the engine that gave them."""
    engine = context.load(model)
    encoded = encode(model, engine, (question.prompt for question in asked))
    answers: list[str] = []
    for start in range(0, len(encoded), BATCH):
        replies = engine.generate(encoded[start : start + BATCH], mlm.Sampling(max_tokens=max_tokens))
        answers += [reply.text.strip() for reply in replies]
        context.progress(len(answers), len(encoded))
    return [Answered(question, answer) for question, answer in zip(asked, answers, strict=True)], engine


def encode(model: mlm.Model, engine: mlm.Engine, prompts: Iterable[str]) -> list[list[int]]:
    """Return token ids of prompts: by the chat template where the model has one, as plain text where not."""
    if has_chat_template(model.path):
        return [engine.tokenizer.chat([{"role": "user", "content": prompt}]) for prompt in prompts]
    return [engine.tokenizer.encode(prompt) for prompt in prompts]


def same(answer: str, expected: str) -> bool:
    """Compare two answers without regard to case and white space."""
    return normalized(answer) == normalized(expected)


def normalized(text: str) -> str:
    """Fold case and white space."""
    return " ".join(text.casefold().split())
