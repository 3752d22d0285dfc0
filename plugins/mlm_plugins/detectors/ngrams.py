"""Hashed n-grams of texts, and a softmax regression on them; compiled with numba.

A text is the bag of its words, its pairs of words, and its runs of 3 to 5 bytes that no white space parts
(Weinberger et al. 2009 hash features so; Joulin et al. 2016 classify by such bags). Each occurrence weighs one over the
root of how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlm_plugins.detectors.compiled import compiled
from mlm_plugins.detectors.repetition import FACTOR, spread

SHORTEST, LONGEST = 3, 5
MOST_BYTES = 1 << 20
"""A text is judged by so much of its beginning, so that memory is bounded."""
_PAIR = np.uint64(0xD6E8FEB86659FD93)
_WORD = np.uint64(0xA0761D6478BD642F)
_SPACE = np.uint8(32)
_ROOM = LONGEST - SHORTEST + 3
"""Features that a byte can begin or end."""


def _words() -> Any:
    """Return which bytes words are made of: letters, digits, and all that is not ASCII."""
    table = np.zeros(256, np.bool_)
    for code in range(256):
        table[code] = code >= 0x80 or chr(code).isalnum()
    return table


WORDS = _words()


@compiled
def _bag(data: Any, start: int, end: int, words: Any, shift: Any, bag: Any) -> Any:
    """Put the places of a text's features into `bag`, and return how many there are."""
    count = 0
    word, before, inside = _WORD, np.uint64(0), False
    for at in range(start - 1, end + 1):
        byte = data[at] if start <= at < end else _SPACE
        if words[byte]:
            word, inside = (word ^ np.uint64(byte)) * FACTOR, True
        elif inside:
            bag[count] = spread(word) >> shift
            bag[count + 1] = spread((before ^ _PAIR) * FACTOR + word) >> shift
            count += 2
            before, word, inside = word, _WORD, False
        if at == end:
            break
        code = np.uint64(byte) * FACTOR
        for size in range(2, LONGEST + 1):
            place = at + size - 1
            after = data[place] if place < end else _SPACE
            code = (code ^ np.uint64(after + 1)) * FACTOR
            if size >= SHORTEST:
                bag[count] = spread(code) >> shift
                count += 1
            if after <= _SPACE:
                break
    return count


@compiled
def _room(offsets: Any) -> int:
    longest = 0
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return (min(longest, MOST_BYTES) + 2) * _ROOM


@compiled
def _softmax(bag: Any, count: int, weights: Any, bias: Any, scale: float, out: Any) -> None:
    for label in range(bias.size):
        out[label] = 0.0
    for k in range(count):
        for label in range(bias.size):
            out[label] += weights[bag[k], label]
    top = -np.inf
    for label in range(bias.size):
        out[label] = out[label] * scale + bias[label]
        top = max(top, out[label])
    total = 0.0
    for label in range(bias.size):
        out[label] = np.exp(out[label] - top)
        total += out[label]
    for label in range(bias.size):
        out[label] /= total


@compiled
def classify(data: Any, offsets: Any, words: Any, shift: Any, weights: Any, bias: Any, out: Any) -> None:
    """Fill `out`, (texts, labels) float64, with probabilities.

    Args:
        data: UTF-8 bytes of all texts, in lower case.
        offsets: (texts + 1), where each text begins and ends.
        words: `WORDS`.
        shift: 64 minus the bits of a place in `weights`.
        weights: (places, labels), float32.
        bias: (labels,), float32.
        out: Where the probabilities go.
    """
    bag = np.empty(_room(offsets), np.uint32)
    for row in range(out.shape[0]):
        end = min(offsets[row + 1], offsets[row] + MOST_BYTES)
        count = _bag(data, offsets[row], end, words, shift, bag)
        _softmax(bag, count, weights, bias, 1.0 / np.sqrt(max(count, 1)), out[row])


@compiled
def learn(
    data: Any, offsets: Any, words: Any, shift: Any, weights: Any, bias: Any, squares: Any, bias_squares: Any,
    labels: Any, order: Any, rate: float,
) -> float:  # fmt: skip
    """Take one step of AdaGrad (Duchi et al. 2011) for each text, and return the sum of the losses before the steps.

    Args:
        data, offsets, words, shift, weights, bias: As for `classify`; weights and bias change.
        squares: Sums of squared gradients, of the shape of `weights`; they change.
        bias_squares: The same for `bias`.
        labels: (texts,), the index of each text's label.
        order: (texts,), in which order they are taken.
        rate: The learning rate.
    """
    bag, loss = np.empty(_room(offsets), np.uint32), 0.0
    found = np.empty(bias.size)
    for row in order:
        end = min(offsets[row + 1], offsets[row] + MOST_BYTES)
        count = _bag(data, offsets[row], end, words, shift, bag)
        scale = 1.0 / np.sqrt(max(count, 1))
        _softmax(bag, count, weights, bias, scale, found)
        loss -= np.log(max(found[labels[row]], 1e-12))
        found[labels[row]] -= 1.0
        for label in range(bias.size):
            bias_squares[label] += found[label] ** 2
            bias[label] -= rate * found[label] / np.sqrt(bias_squares[label] + 1e-8)
        for k in range(count):
            place = bag[k]
            for label in range(bias.size):
                slope = found[label] * scale
                squares[place, label] += slope * slope
                weights[place, label] -= rate * slope / np.sqrt(squares[place, label] + 1e-8)
    return loss
