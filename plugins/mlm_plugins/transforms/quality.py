"""How much a row looks like written language."""

from __future__ import annotations

import re
from collections import Counter

from attrs import define
from attrs.validators import and_, ge, le

import mlm

_SYMBOL = re.compile(r"#|\.\.\.|\u2026")
# Short rows repeat themselves by chance.
LINES_FOR_SHARES = 5
WORDS_FOR_REPETITION = 20
# Run of n words: greatest share of the characters that its commonest may have.
COMMONEST = {2: 0.20, 3: 0.18, 4: 0.16}


@define(kw_only=True)
class Quality:
    """Scores rows by the Gopher rules and removes the poor (Rae et al. 2021, A.1.1).

    Each rule gives 1 within its limits and less the further a row is outside; the score is the worst rule's, so the
    rule that fired can be named.
    """

    min_score: float = mlm.setting(0.3, validator=and_(ge(0), le(1)), help="rows below it are removed")
    min_chars: int = mlm.setting(3, validator=ge(0), help="shortest row", unit="characters")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        texts = batch.texts()
        worst = [min(rules(text).items(), key=lambda rule: rule[1]) for text in texts]
        details = [self._reason(text, *rule) for text, rule in zip(texts, worst, strict=True)]
        return batch.with_column("quality", [round(score, 4) for _, score in worst]).remove(details, "quality")

    def _reason(self, text: str, rule: str, score: float) -> str | None:
        if len(text.strip()) < self.min_chars:
            return f"shorter than {self.min_chars} characters"
        return f"{rule}: {score:.2f}" if score < self.min_score else None


def rules(text: str) -> dict[str, float]:
    """Return each rule's score, 0 to 1, of a text."""
    words = text.split()
    if not words:
        return {"empty": 0.0}
    scores = {
        "words with letters or digits": min(1.0, sum(map(_has_letter, words)) / len(words) / 0.8),
        "mean word length": min(1.0, 10 * len(words) / sum(map(len, words))),
        # One ellipsis is no sign of anything in a short text.
        "symbols a word": _at_most((len(_SYMBOL.findall(text)) - 1) / len(words), 0.1),
    }
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) >= LINES_FOR_SHARES:
        scores["bullet lines"] = _at_most(sum(map(_is_bullet, lines)) / len(lines), 0.9)
        scores["lines cut short"] = _at_most(sum(map(_is_cut, lines)) / len(lines), 0.3)
        scores["repeated lines"] = _at_most(1 - len(set(lines)) / len(lines), 0.3)
    if len(words) >= WORDS_FOR_REPETITION:
        scores |= {f"commonest {n} words": _at_most(_commonest(words, n), limit) for n, limit in COMMONEST.items()}
    return scores


def _at_most(value: float, limit: float) -> float:
    return 1.0 if value <= limit else limit / value


def _has_letter(word: str) -> bool:
    return any(map(str.isalnum, word))


def _is_bullet(line: str) -> bool:
    return line.lstrip().startswith(("\u2022", "-", "*"))


def _is_cut(line: str) -> bool:
    return line.rstrip().endswith(("...", "\u2026"))


def _commonest(words: list[str], n: int) -> float:
    """Return the share of characters in the commonest run of n words, where it comes more than once."""
    runs = Counter(tuple(words[start : start + n]) for start in range(len(words) - n + 1))
    run, count = max(runs.items(), key=lambda item: (item[1], sum(map(len, item[0]))))
    return min(1.0, count * sum(map(len, run)) / sum(map(len, words))) if count > 1 else 0.0
