"""Log-probabilities of given sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Floats, Session

BATCH_TOKENS = 2048
"""Tokens of one pass, padding included: logits of a vocabulary of 32 000 then take 256 MiB."""


def logprobs(session: Session, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
    """Return log P(token i | tokens before) in nats for i = 1.. of each sequence.

    A start that all have in common, as answers to one question have, is computed once where that saves half the work.
    """
    start = _common_start(sequences)
    if 2 * start * (len(sequences) - 1) <= sum(map(len, sequences)):
        return _in_batches(session, sequences, session.no_past, 0)
    logits, cache = _forward(session, [sequences[0][:start]], session.no_past(1), 0)
    given = _of_tokens(logits[0, :-1], sequences[0][1:start])
    ends = [sequence[start:] for sequence in sequences]
    rest = _in_batches(session, ends, lambda rows: _repeated(session, cache, rows), start)
    return [given + _of_tokens(logits[0, -1:], end[:1]) + scores for end, scores in zip(ends, rest, strict=True)]


def _common_start(sequences: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all sequences begin with alike; at least one of each is left."""
    most = min(map(len, sequences), default=0) - 1
    return next((place for place in range(most) if len({one[place] for one in sequences}) > 1), max(most, 0))


def _repeated(session: Session, cache: Sequence[Any], rows: int) -> list[Any]:
    return [session.pack(session.unpack(part).repeat(rows, axis=0)) for part in cache]


def _in_batches(
    session: Session, sequences: Sequence[Sequence[int]], past: Callable[[int], list[Any]], seen: int
) -> list[list[float]]:
    """Score sequences after `seen` tokens, whose cache for a number of rows `past` returns."""
    scores: list[list[float]] = [[] for _ in sequences]
    for rows in _batches([len(sequence) for sequence in sequences], seen):
        batch = [sequences[row] for row in rows]
        logits, _ = _forward(session, batch, past(len(rows)), seen)
        for row, values in zip(rows, logits, strict=True):
            scores[row] = _of_tokens(values[: len(sequences[row]) - 1], sequences[row][1:])
    return scores


def _batches(lengths: Sequence[int], seen: int) -> Iterator[list[int]]:
    """Group indices of similar lengths so that a group's padded size stays within BATCH_TOKENS."""
    batch: list[int] = []
    for index in sorted((index for index, length in enumerate(lengths) if length > 1), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * (seen + lengths[index]) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _forward(
    session: Session, sequences: Sequence[Sequence[int]], past: list[Any], seen: int
) -> tuple[Floats, list[Any]]:
    import numpy as np

    longest = max(map(len, sequences))
    # Padding is on the right, where no real token looks.
    ids = np.asarray([[*sequence, *[0] * (longest - len(sequence))] for sequence in sequences], np.int64)
    places = np.arange(seen + longest, dtype=np.int64)
    mask = (places < np.asarray([[seen + len(sequence)] for sequence in sequences])).astype(np.int64)
    return session.forward(ids, mask, np.broadcast_to(places[seen:], ids.shape).copy(), past)


def _of_tokens(logits: Floats, tokens: Sequence[int]) -> list[float]:
    """Return the log-probability of each token by the logits (tokens, vocabulary) before it."""
    import numpy as np

    known = logits.astype(np.float64)
    top = known.max(axis=1)
    total = top + np.log(np.exp(known - top[:, None]).sum(axis=1))
    scores: list[float] = (known[np.arange(len(known)), list(tokens)] - total).tolist()
    return scores
