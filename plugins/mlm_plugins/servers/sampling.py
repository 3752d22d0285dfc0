"""Choosing the next token from its logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlm

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Floats


class Chooser:
    """Chooses one request's tokens; the same seed and index draw the same tokens, whatever else is in the batch."""

    def __init__(self, sampling: mlm.Sampling, index: int = 0) -> None:
        import numpy as np

        self._temperature, self._top_p = sampling.temperature, sampling.top_p
        # `index` keeps the samples of one call apart where it gives the same prompt several times.
        self._random = None if sampling.seed is None else np.random.default_rng([sampling.seed, index])
        if self._random is None and self._temperature > 0:
            self._random = np.random.default_rng()

    def choose(self, logits: Floats) -> int:
        """Return a token id; the lowest of equal ones where the choice is greedy."""
        if self._temperature <= 0 or self._random is None:
            return int(logits.argmax())
        return nucleus(logits, self._temperature, self._top_p, self._random.random())


def nucleus(logits: Floats, temperature: float, top_p: float, uniform: float) -> int:
    """Sample from the smallest set of tokens whose probability reaches `top_p` (Holtzman et al. 2020).

    Args:
        logits: (vocabulary,).
        temperature: Above 0; divides the logits.
        top_p: In (0, 1].
        uniform: In [0, 1); the draw.
    """
    import numpy as np

    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    order = np.argsort(-weights, kind="stable")
    reached = np.cumsum(weights[order])
    kept = int(np.searchsorted(reached, top_p * reached[-1])) + 1
    place = np.searchsorted(reached[:kept], uniform * reached[min(kept, len(reached)) - 1], side="right")
    return int(order[min(int(place), kept - 1, len(order) - 1)])
