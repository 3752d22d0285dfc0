"""Prompts that name columns of a row, and their answers as token ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter

from attrs import frozen

import mlm
from mlm_plugins.detectors.token_ids import ended

LONG = 64
"""Characters a token that no text has on average: one that is longer does not fit, and is not encoded to see it."""


@frozen
class Prompt:
    """A text with places for columns of a row, such as `Is this spam? {text}`."""

    parts: tuple[tuple[str, str | None], ...]
    """What stands before a column, and its name; None after the last."""

    @classmethod
    def read(cls, text: str) -> Prompt:
        """Read a prompt as a project file has it; ValueError says what is wrong with it."""
        parts = []
        try:
            fields = list(Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"the prompt cannot be read ({error}); write {{{{ and }}}} for braces") from None
        for before, name, form, conversion in fields:
            if name == "" or form or conversion:
                raise ValueError(
                    f"the prompt has a place after {before[-20:]!r} that is no column; write it as {{text}}"
                )
            parts.append((before, name))
        if not any(name for _, name in parts):
            raise ValueError("the prompt names no column; write one as {text}")
        if not "".join(before for before, _ in parts).strip():
            raise ValueError("the prompt holds columns alone; say what is asked of them")
        return cls(tuple(parts))

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for _, name in self.parts if name is not None))

    def filled(self, row: Mapping[str, str]) -> str:
        """Return the prompt for one row; braces in the row mean nothing."""
        return "".join(before + (row[name] if name is not None else "") for before, name in self.parts)


@frozen
class Answers:
    """Some answers to one prompt, as token ids.

    Attributes:
        sequences: Prompt and answer together, one an answer, to the token that ends it.
        given: How many ids they have in common at the start; what comes after them tells the answers apart.
        characters: How many characters of each text of the row the prompt holds at most; None: all.
    """

    sequences: tuple[list[int], ...]
    given: int
    characters: int | None = None

    @property
    def longest(self) -> int:
        return max(map(len, self.sequences))


@frozen
class Asking:
    """Puts a row's question and each of some answers into the form that the model was trained on."""

    prompt: Prompt
    answers: Sequence[str]
    engine: mlm.Engine
    chats: bool
    """Whether the model has a chat template."""
    where: str
    """The step, for messages."""

    def of(self, row: Mapping[str, str]) -> Answers:
        """Return the answers to one row's question, its texts cut at the end as far as the context asks for.

        Raises:
            ProjectError: The prompt does not fit even without the row.
        """
        most = max(map(len, row.values()))
        if most <= LONG * self.engine.max_length:
            whole = self._encoded(row, None)
            if whole.longest <= self.engine.max_length:
                return whole
        fits = self._encoded(row, 0)
        if fits.longest > self.engine.max_length:
            raise mlm.ProjectError(
                f"the prompt has {fits.longest} tokens without the row's text, and the model takes"
                f" {self.engine.max_length}: shorten it",
                self.where,
            )
        least = 0
        while most - least > 1:
            # From below, so that the end of a very long text is not encoded again and again.
            middle = min((least + most) // 2, 2 * least + self.engine.max_length)
            tried = self._encoded(row, middle)
            if tried.longest <= self.engine.max_length:
                least, fits = middle, tried
            else:
                most = middle
        return fits

    def _encoded(self, row: Mapping[str, str], characters: int | None) -> Answers:
        asked = self.prompt.filled({name: text[:characters] for name, text in row.items()})
        # Cleaned as a whole: what a row's text ends with must make no token with what the prompt goes on with.
        question = self.engine.tokenizer.without_special(asked)
        whole = [self._conversation(question, answer) for answer in self.answers]
        differ = (place for place, ids in enumerate(zip(*whole, strict=False)) if len(set(ids)) > 1)
        given = max(next(differ, min(map(len, whole))), 1)
        ends = self.engine.tokenizer.eos_ids
        return Answers(tuple(ended(ids, given, ends) for ids in whole), given, characters)

    def _conversation(self, question: str, answer: str) -> list[int]:
        tokenizer = self.engine.tokenizer
        if self.chats:
            return tokenizer.chat([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])
        return tokenizer.encode(f"{question}{'' if question[-1:].isspace() else ' '}{answer}")
