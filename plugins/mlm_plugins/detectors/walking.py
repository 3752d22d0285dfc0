"""Naive Bayes over the byte n-grams that an automaton finds (Lui and Baldwin 2012); compiled with numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlm_plugins.detectors.compiled import compiled


@compiled
def score(
    data: Any, offsets: Any, most: int, moves: Any, rows: Any, outputs: Any, table: Any, prior: Any, out: Any
) -> None:
    """Fill `out`, (texts, classes) float64, with probabilities; all are equal where no n-gram is known.

    Args:
        data: UTF-8 bytes of all texts.
        offsets: (texts + 1), where each text begins and ends.
        most: Bytes that are looked at.
        moves: (rows * 256), the next state by row and byte.
        rows: (states,), the row of each state.
        outputs: (states,), the feature that is found there, or -1.
        table: (features, classes) float32, logarithms of probabilities.
        prior: (classes,) float32.
        out: Where the probabilities go.
    """
    counts, found = np.zeros(table.shape[0], np.int32), np.empty(most, np.int32)
    # Of 32 bits, so that a processor adds several at once.
    sums = np.empty(prior.size, np.float32)
    for text in range(out.shape[0]):
        state, size = 0, 0
        end = min(offsets[text + 1], offsets[text] + most)
        for at in range(offsets[text], end):
            state = moves[(np.int64(rows[state]) << 8) + data[at]]
            feature = outputs[state]
            if feature >= 0:
                if counts[feature] == 0:
                    found[size] = feature
                    size += 1
                counts[feature] += 1
        sums[:] = 0.0
        for place in range(size):
            feature = found[place]
            weight = np.float32(np.log1p(np.float32(counts[feature])))
            counts[feature] = 0
            for label in range(sums.size):
                sums[label] += weight * table[feature, label]
        scores = out[text]
        scores[:] = sums
        if size:
            scores += prior
        # The root of the length keeps confidence comparable between short and long texts, as py3langid has it.
        scores /= np.sqrt(max(end - offsets[text], 1))
        scores -= scores.max()
        np.exp(scores, scores)
        scores /= scores.sum()
