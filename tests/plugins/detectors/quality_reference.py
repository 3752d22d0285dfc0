"""The measures of quality rules as one would write them down: slow, and easy to check against their sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from mlm_plugins.detectors.characters import BRACKETS, BULLETS, QUOTES, TERMINALS

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}


def measures(text: str) -> dict[str, float]:
    """Return every measure of a text."""
    words = text.split()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    blank_or_not = groupby(text.split("\n"), key=lambda line: bool(line.strip()))
    paragraphs = ["\n".join(" ".join(line.split()) for line in block) for full, block in blank_or_not if full]
    solid = sum(map(len, words))
    found: dict[str, float] = {
        "chars": len(text),
        "words": len(words),
        "lines": len(lines),
        "stop_words": len(STOP_WORDS & {lowered(word) for word in words}),
        "sentences": sum(ends_sentence(word) for word in words),
        "curly_brackets": text.count("{"),
        "lorem_ipsum": len(re.findall("lorem ipsum", text, re.IGNORECASE | re.ASCII)),
    }
    if not words:
        return found
    found |= {
        "mean_word_length": solid / len(words),
        "hash_ratio": text.count("#") / len(words),
        "ellipsis_ratio": (text.count("...") + text.count("\u2026")) / len(words),
        "alphabetic_words": share(any(c.isalpha() for c in word) for word in words),
        "alphanumeric_words": share(any(c.isalnum() for c in word) for word in words),
        "bullet_lines": share(line[0] in BULLETS for line in lines),
        "ellipsis_lines": share(line.endswith(("...", "\u2026")) for line in lines),
        "terminal_lines": share(line[-1] in TERMINALS + QUOTES for line in lines),
        "short_lines": share(len(line) <= 30 for line in lines),
        "newline_ratio": text.count("\n") / len(words),
    }
    for name, pieces in (("line", [" ".join(line.split()) for line in lines]), ("paragraph", paragraphs)):
        again = [piece for place, piece in enumerate(pieces) if piece in pieces[:place]]
        found[f"duplicate_{name}s"] = len(again) / len(pieces)
        found[f"duplicate_{name}_chars"] = sum(len("".join(piece.split())) for piece in again) / solid
    for n in (2, 3, 4):
        found[f"top_{n}gram_chars"] = top_run(words, n) / solid
    for n in range(5, 11):
        found[f"duplicate_{n}gram_chars"] = in_repeated_runs(words, n) / solid
    return found


def share(flags: object) -> float:
    seen = list(flags)  # type: ignore[call-overload]
    return float(sum(seen) / len(seen))


def lowered(word: str) -> str:
    """Fold the case of ASCII letters alone: the long s is no letter of a stop word."""
    return "".join(c.lower() if c.isascii() else c for c in word)


def ends_sentence(word: str) -> bool:
    return word.rstrip(QUOTES + BRACKETS)[-1:] in set(TERMINALS)


def runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def top_run(words: Sequence[str], n: int) -> int:
    """Return the characters in the commonest run that comes more than once, the longest of equally common ones."""
    counts = Counter(runs(words, n))
    most = max(counts.values(), default=1)
    longest = max((sum(map(len, run)) for run, count in counts.items() if count == most), default=0)
    return min(most * longest, sum(map(len, words))) if most > 1 else 0


def in_repeated_runs(words: Sequence[str], n: int) -> int:
    """Return the characters of all words that a run which comes more than once covers."""
    found = runs(words, n)
    counts = Counter(found)
    covered = {i + k for i, run in enumerate(found) if counts[run] > 1 for k in range(n)}
    return sum(len(words[i]) for i in covered)
