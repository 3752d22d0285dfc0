"""How surprised is the model by a text?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import exp, inf
from typing import Any, ClassVar

from attrs import define, evolve, frozen, validators

import mlm
from mlm.measures import ratio
from mlm_plugins.detectors.templates import has_chat_template
from mlm_plugins.detectors.token_ids import ended, shared
from mlm_plugins.evaluators.answers import Question, chat, encode, question

BATCH = 32
_LARGEST_LOSS = 700.0
"""In nats a token; exp of little more is no float."""


@frozen
class _Sequence:
    """A row's tokens: those given, which are not scored, and the rest."""

    row_id: str
    ids: list[int]
    given: int
    is_text: bool

    def pieces(self, length: int) -> Iterator[list[int]]:
        """Yield what the model can score; a text comes in as many pieces as it takes, an answer is cut."""
        end = len(self.ids) if self.is_text else length
        pieces = (self.ids[start : start + length] for start in range(0, min(end, len(self.ids)), length))
        yield from (piece for piece in pieces if len(piece) > self.given)

    def is_cut(self, length: int) -> bool:
        """Say whether a part of an answer is scored, and its end is not."""
        return not self.is_text and self.given < length < len(self.ids)


@define(kw_only=True)
class Perplexity:
    """Perplexity of texts, or of right answers after what is asked: exp of the mean loss a token.

    An answer is scored as the chat template writes it, with the token that ends its turn; the prompt is not. A text
    longer than the model's context is scored in pieces. An answer is scored up to the context's end; the note counts
    those that are cut. One that begins after it, and a text of one token, leave the denominator: see coverage.
    """

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("perplexity", "", "lower", "exp of the mean negative log-likelihood of a token"),
    )

    prefix: str = mlm.setting(
        " ",
        help="put before each text, and before answers where there is no chat template, as in training; "
        "'' where the tokenizer adds a space",
    )
    batch_size: int = mlm.setting(BATCH, validator=validators.ge(1), unit="rows", help="rows scored at once")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        import numpy as np

        engine = context.load(model)
        most = engine.max_length
        answer = self._answer if has_chat_template(model.path) else self._plain_answer
        sequences = [
            self._text(engine, row) if row.get("text") is not None else answer(model, engine, question(row, data))
            for row in data.rows()
        ]
        pieces = [(n, ids, one.given) for n, one in enumerate(sequences) for ids in one.pieces(most)]
        losses = np.array(list(self._losses(engine, pieces, context)))
        totals = _by_row([row for row, _, _ in pieces], losses)
        if not len(totals):
            name = data.ref or data.path.name
            raise mlm.DataError(f"{name} has no text of two tokens or more to score within the model's {most}")
        measure = _perplexity(totals, context.seed)
        unscored = [one.row_id for one in sequences if not any(one.pieces(most))]
        cut = [one.row_id for one in sequences if one.is_cut(most)]
        told = {"have nothing to score within": unscored, "are cut at": cut}
        note = "; ".join(f"{len(rows)} rows {what} {most} tokens" for what, rows in told.items() if rows)
        measure = evolve(measure, coverage=len(totals) / len(sequences), note=note)
        details = {"backend": engine.backend, "tokens": int(totals[:, 1].sum()), "unscored": unscored, "cut": cut}
        return mlm.Report((measure,), details=details)

    def _text(self, engine: mlm.Engine, row: Mapping[str, Any]) -> _Sequence:
        ids = engine.tokenizer.encode(self.prefix + row["text"].strip())
        return _Sequence(str(row.get("row_id", "")), ids, 1, is_text=True)

    def _plain_answer(self, model: mlm.Model, engine: mlm.Engine, asked: Question) -> _Sequence:
        (prompt,) = encode(model, engine, [asked])
        return _Sequence(asked.row_id, prompt + self._bare(engine, asked.completion), len(prompt), is_text=False)

    def _answer(self, model: mlm.Model, engine: mlm.Engine, asked: Question) -> _Sequence:
        """Return an answer as the chat template writes it: where it opens as `sft` has it, to what ends its turn."""
        prompt = chat(engine, asked.asked, asked)
        whole = chat(engine, [*asked.asked, {"role": "assistant", "content": asked.completion}], asked)
        given = max(shared(prompt, whole), 1)
        return _Sequence(asked.row_id, ended(whole, given, engine.tokenizer.eos_ids), given, is_text=False)

    def _bare(self, engine: mlm.Engine, text: str) -> list[int]:
        """Return token ids without the special tokens that the tokenizer puts first."""
        first = engine.tokenizer.encode("")
        ids = engine.tokenizer.encode(self.prefix + text.strip())
        return ids[len(first) :] if ids[: len(first)] == first else ids

    def _losses(
        self, engine: mlm.Engine, pieces: list[tuple[int, list[int], int]], context: mlm.Context
    ) -> Iterator[tuple[float, int]]:
        """Yield the loss in nats and the number of scored tokens of each piece."""
        for start in range(0, len(pieces), self.batch_size):
            batch = pieces[start : start + self.batch_size]
            for (_, _, given), logprobs in zip(batch, engine.logprobs([ids for _, ids, _ in batch]), strict=True):
                scored = logprobs[given - 1 :]
                yield -sum(scored), len(scored)
            context.progress(start + len(batch), len(pieces))


def _by_row(rows: list[int], losses: Any) -> Any:
    """Add up the pieces of each row: an array of (loss in nats, tokens)."""
    import numpy as np

    if not rows:
        return np.zeros((0, 2))
    _, place = np.unique(rows, return_inverse=True)
    return np.stack([np.bincount(place, weights=losses[:, column]) for column in (0, 1)], axis=1)


def _perplexity(totals: Any, seed: int) -> mlm.Measure:
    """Return the token-weighted perplexity; its interval takes rows whole, for the tokens of a row belong together."""
    loss = ratio("perplexity", totals[:, 0], totals[:, 1], seed=seed)
    assert loss.value is not None
    assert loss.low is not None
    assert loss.high is not None
    # Rows that are all alike, as copies are, leave their spread unknown: it is not zero.
    low, high = (loss.low, loss.high) if loss.low < loss.high else (-inf, inf)
    return evolve(loss, value=exp(loss.value), low=exp(low), high=exp(high) if high < _LARGEST_LOSS else inf)
