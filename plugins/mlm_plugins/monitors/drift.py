"""Do people still ask what the model was made for?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any, ClassVar

from attrs import define, validators

import mlm
from mlm_plugins.detectors.turns import last_said


@define(kw_only=True)
class PromptDrift:
    """Jensen-Shannon divergence of the words of prompts from those of a reference (Lin 1991).

    The divergence of a sample is biased upwards: even prompts drawn from the reference itself are above 0. The mean of
    such draws, as many prompts as the window has, is subtracted from value, interval and bound, with 0 as the floor.
    """

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("prompt_drift", "bits", "lower", "Jensen-Shannon divergence of word shares, base 2, 0 to 1"),
    )

    reference: mlm.Dataset = mlm.input(help="prompts that the model was made for")
    sample: int = mlm.setting(2000, validator=validators.ge(10), unit="rows", help="most prompts compared, each side")
    resamples: int = mlm.setting(200, validator=validators.ge(20), help="draws behind interval and no-drift bound")

    @mlm.hookimpl
    def mlm_measure(self, window: mlm.Window, context: mlm.Context) -> list[mlm.Signal]:
        random = Random(context.seed)  # noqa: S311, statistics only
        now = _sampled((exchange.prompt for exchange in window.exchanges), self.sample, random)
        measure = mlm.Measure("prompt_drift", None, 0, unit="bits")
        if now:
            rows = self.reference.rows()
            before = _sampled(map(_asked, rows), self.sample, random)
            measure = self._measured(before, now, context.seed)
        return [mlm.Signal(measure, window.deployment, window.node)]

    def _measured(self, before: Sequence[str], now: Sequence[str], seed: int) -> mlm.Measure:
        """Measure drift above chance, its bootstrap interval, and the bound of 95 % of windows without drift."""
        import numpy as np

        old, new = word_counts(before, now)
        generator = np.random.default_rng(seed)
        value = divergence(old.sum(axis=0), new.sum(axis=0))
        spread = [divergence(old.sum(axis=0), _drawn(new, len(now), generator)) for _ in range(self.resamples)]
        chance = [divergence(old.sum(axis=0), _drawn(old, len(now), generator)) for _ in range(self.resamples)]
        expected = float(np.mean(chance))
        # A resampled window repeats prompts and so drifts further than it did; move the interval back by that much.
        bias = float(np.mean(spread)) - value
        low, high = (float(edge) - bias for edge in np.quantile(spread, [0.025, 0.975]))
        if len(now) == 1:
            # A lone prompt drawn again is the same prompt: it says nothing of how far others are.
            low, high = 0.0, 1.0 + expected
        value, low, high, bound = (
            min(1.0, max(0.0, raw - expected)) for raw in (value, low, high, float(np.quantile(chance, 0.95)))
        )
        note = (
            f"less the {expected:.4f} bits that chance alone makes; "
            f"without drift, 95 % of windows of {len(now)} prompts stay below {bound:.4f} bits"
        )
        return mlm.Measure("prompt_drift", value, len(now), low, high, "bits", note=note)


def divergence(p: Any, q: Any) -> float:
    """Return the Jensen-Shannon divergence of two vectors of counts, in bits: 0 where equal, 1 where disjoint."""
    import numpy as np

    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0) + np.where(q > 0, q * np.log2(q / middle), 0)
    return float(terms.sum() / 2)


def word_counts(before: Sequence[str], now: Sequence[str]) -> tuple[Any, Any]:
    """Count words a prompt: two matrices (prompts, words), whose columns are the words of both sides."""
    import numpy as np

    counts = [Counter(_words(text)) for text in (*before, *now)]
    columns = {word: place for place, word in enumerate(sorted({word for count in counts for word in count}))}
    matrix = np.zeros((len(counts), len(columns)), dtype=np.int32)
    for row, count in enumerate(counts):
        for word, number in count.items():
            matrix[row, columns[word]] = number
    return matrix[: len(before)], matrix[len(before) :]


def _drawn(matrix: Any, size: int, generator: Any) -> Any:
    """Return the word counts of `size` prompts drawn with replacement."""
    import numpy as np

    weights = np.bincount(generator.integers(0, len(matrix), size), minlength=len(matrix))
    return weights @ matrix


def _words(text: str) -> list[str]:
    # A prompt without a word still is one: it counts as the empty word.
    return re.findall(r"\w+", text.casefold()) or [""]


def _asked(row: Mapping[str, Any]) -> str:
    """Return what a row asks, as the gateway records it: of a conversation, the last thing that the user says."""
    found = row.get("messages") or row.get("prompt") or row.get("text") or ""
    return found if isinstance(found, str) else last_said(found)


def _sampled(texts: Iterable[str], size: int, random: Random) -> list[str]:
    """Draw `size` texts with equal chances, in one pass and bounded memory (Vitter 1985, algorithm R)."""
    source = iter(texts)
    kept = list(islice(source, size))
    for seen, text in enumerate(source, size):
        place = random.randrange(seen + 1)
        if place < size:
            kept[place] = text
    return kept
