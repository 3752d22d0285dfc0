"""Published rules of what a text must look like to be worth learning from, and how a text fares by them.

- `gopher`: quality and repetition rules of MassiveText (Rae et al. 2021, A.1.1 and table A1).
- `c4`: the rules on pages of C4 (Raffel et al. 2020, 2.2); its rules on lines change text and are the transform
  `boilerplate`'s.
- `fineweb`: the rules that FineWeb adds (Penedo et al. 2024, 3.6), and the ratio of newlines of its published code.
- `instruction`: what of Gopher's rules holds for a question, an answer or a single line too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import frozen

from mlm_plugins.detectors.columns import utf8

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@frozen
class Rule:
    """A bound on one measure of a text."""

    measure: str
    """A name of `measuring_text.MEASURES`."""
    side: Literal["min", "max"]
    limit: float
    from_words: int = 0
    """The rule is for texts of at least so many words: short ones repeat themselves by chance."""

    @property
    def name(self) -> str:
        return f"{self.side}_{self.measure}"


def _least(measure: str, limit: float, from_words: int = 0) -> Rule:
    return Rule(measure, "min", limit, from_words)


def _most(measure: str, limit: float, from_words: int = 0) -> Rule:
    return Rule(measure, "max", limit, from_words)


RULES: dict[str, tuple[Rule, ...]] = {
    "instruction": (
        _least("chars", 3),
        _least("alphanumeric_words", 0.24),
        _most("mean_word_length", 33),
        _most("hash_ratio", 0.34, 5),
        _most("ellipsis_ratio", 0.34, 5),
        _most("top_2gram_chars", 0.65, 20),
        _most("top_3gram_chars", 0.60, 20),
        _most("top_4gram_chars", 0.55, 20),
    ),
    "gopher": (
        _least("words", 50),
        _most("words", 100_000),
        _least("mean_word_length", 3),
        _most("mean_word_length", 10),
        _most("hash_ratio", 0.1),
        _most("ellipsis_ratio", 0.1),
        _most("bullet_lines", 0.9),
        _most("ellipsis_lines", 0.3),
        _least("alphabetic_words", 0.8),
        _least("stop_words", 2),
        _most("duplicate_lines", 0.30),
        _most("duplicate_paragraphs", 0.30),
        _most("duplicate_line_chars", 0.20),
        _most("duplicate_paragraph_chars", 0.20),
        _most("top_2gram_chars", 0.20),
        _most("top_3gram_chars", 0.18),
        _most("top_4gram_chars", 0.16),
        _most("duplicate_5gram_chars", 0.15),
        _most("duplicate_6gram_chars", 0.14),
        _most("duplicate_7gram_chars", 0.13),
        _most("duplicate_8gram_chars", 0.12),
        _most("duplicate_9gram_chars", 0.11),
        _most("duplicate_10gram_chars", 0.10),
    ),
    "c4": (_least("sentences", 5), _most("curly_brackets", 0), _most("lorem_ipsum", 0)),
    "fineweb": (
        _least("terminal_lines", 0.12),
        _most("duplicate_line_chars", 0.1),
        _most("short_lines", 0.67),
        _most("newline_ratio", 0.3),
    ),
}
"""Sets of rules, with the limits of their sources."""


@frozen
class Judgement:
    """How one column of texts fares by some rules."""

    values: NDArray[np.float64]
    """(texts, rules): what each rule looks at."""
    scores: NDArray[np.float64]
    """(texts, rules): 1 within a rule's limit, and less, down to 0, the further a text is outside."""


def measured(texts: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return (texts, measures) of a string column; a null is an empty text."""
    import numpy as np

    from mlm_plugins.detectors.characters import kinds
    from mlm_plugins.detectors.measuring_text import MEASURES, measure

    data, offsets = utf8(texts)
    out = np.zeros((len(offsets) - 1, len(MEASURES)))
    measure(data, offsets, kinds(), out)
    return out


def judged(measures: NDArray[np.float64], rules: list[Rule]) -> Judgement:
    """Judge measured texts by rules."""
    import numpy as np

    from mlm_plugins.detectors.measuring_text import MEASURES

    words = measures[:, MEASURES.index("words")]
    values = measures[:, [MEASURES.index(rule.measure) for rule in rules]]
    scores = np.ones_like(values)
    for place, rule in enumerate(rules):
        value, limit = values[:, place], rule.limit
        outside = (value < limit if rule.side == "min" else value > limit) & (words >= rule.from_words)
        scores[outside, place] = value[outside] / limit if rule.side == "min" else limit / value[outside]
    return Judgement(values, scores)
