"""How surprised is the model by a text?"""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, inf
from typing import Any, ClassVar

from attrs import define, evolve, validators

import mlm
from mlm.measures import ratio
from mlm_plugins.evaluators.answers import encode, question

BATCH = 32
_LARGEST_LOSS = 700.0
"""In nats a token; exp of little more is no float."""


@define(kw_only=True)
class Perplexity:
    """Perplexity of texts, or of right answers after what is asked: exp of the mean loss a token."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("perplexity", "", "lower", "exp of the mean negative log-likelihood of a token"),
    )

    prefix: str = mlm.setting(" ", help="put before each text, as in training; '' where the tokenizer adds a space")
    batch_size: int = mlm.setting(BATCH, validator=validators.ge(1), unit="rows", help="rows scored at once")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        import numpy as np

        engine = context.load(model)
        pieces = list(self._pieces(model, engine, data))
        losses = np.array(list(self._losses(engine, pieces, context)))
        totals = _by_row([row for row, _, _ in pieces], losses)
        if not len(totals):
            raise mlm.DataError(f"{data.ref or data.path.name} has no text of two tokens or more to score")
        measure = _perplexity(totals, context.seed)
        return mlm.Report((measure,), details={"backend": engine.backend, "tokens": int(totals[:, 1].sum())})

    def _pieces(self, model: mlm.Model, engine: mlm.Engine, data: mlm.Dataset) -> Iterator[tuple[int, list[int], int]]:
        """Yield (row, token ids, number of leading ids that are not scored); long texts come in several pieces."""
        for number, row in enumerate(data.rows()):
            if row.get("text") is not None:
                ids, given = engine.tokenizer.encode(self.prefix + row["text"].strip()), 1
            else:
                asked = question(row, data)
                (prompt,) = encode(model, engine, [asked])
                ids, given = prompt + self._bare(engine, asked.completion), len(prompt)
                ids = ids[: engine.max_length]
            for start in range(0, len(ids), engine.max_length):
                piece = ids[start : start + engine.max_length]
                if len(piece) > given:
                    yield number, piece, given

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
