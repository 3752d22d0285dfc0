"""Log-probabilities of given sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Session

BATCH_TOKENS = 2048
"""Tokens of one pass, padding included: logits of a vocabulary of 32 000 then take 256 MiB."""


def logprobs(session: Session, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
    """Return log P(token i | tokens before) in nats for i = 1.. of each sequence."""
    scores: list[list[float]] = [[] for _ in sequences]
    for rows in _batches([len(sequence) for sequence in sequences]):
        for row, values in zip(rows, _one_pass(session, [sequences[row] for row in rows]), strict=True):
            scores[row] = values
    return scores


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group indices of similar lengths so that a group's padded size stays within BATCH_TOKENS."""
    batch: list[int] = []
    for index in sorted((index for index, length in enumerate(lengths) if length > 1), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _one_pass(session: Session, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
    import numpy as np

    longest = max(map(len, sequences))
    # Padding is on the right, where no real token looks.
    ids = np.asarray([[*sequence, *[0] * (longest - len(sequence))] for sequence in sequences], np.int64)
    places = np.arange(longest, dtype=np.int64)
    mask = (places < np.asarray([[len(sequence)] for sequence in sequences])).astype(np.int64)
    logits, _ = session.forward(ids, mask, np.broadcast_to(places, ids.shape).copy(), session.no_past(len(ids)))
    scores = []
    for row, sequence in zip(logits, sequences, strict=True):
        known = row[: len(sequence) - 1].astype(np.float64)
        top = known.max(axis=1)
        total = top + np.log(np.exp(known - top[:, None]).sum(axis=1))
        scores.append((known[np.arange(len(known)), list(sequence[1:])] - total).tolist())
    return scores
