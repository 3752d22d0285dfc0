"""Checks answers against a table of known facts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from attrs import field, frozen

import mlm
from mlm.measures import proportion

_NOTE = "wrong / (right + wrong); refusals and answers that name no known value leave the denominator: see coverage"
Verdict = Literal["right", "wrong", "unchecked", "uncovered"]


@frozen
class Check:
    """One answer held against the table.

    `uncovered` is a question that the table says nothing of; `unchecked` an answer that names no value it knows.
    """

    verdict: Verdict
    subject: str = ""
    attribute: str = ""
    known: str = ""
    found: tuple[str, ...] = ()


@frozen
class Facts:
    """Values by subject and attribute, with a search for each of the words."""

    values: Mapping[tuple[str, str], frozenset[str]]
    _subjects: re.Pattern[str] = field(alias="subjects")
    _attributes: re.Pattern[str] = field(alias="attributes")
    _pools: Mapping[str, re.Pattern[str]] = field(alias="pools")

    def check(self, prompt: str, answer: str) -> Check:
        """Look up what was asked, and compare the values of that attribute that the answer names."""
        asked = self._asked(_folded(prompt))
        if asked is None:
            return Check("uncovered")
        known = self.values[asked]
        found = tuple(sorted(set(self._pools[asked[1]].findall(_folded(answer)))))
        verdict: Verdict = "unchecked" if not found else "right" if set(found) <= known else "wrong"
        return Check(verdict, *asked, known=" or ".join(sorted(known)), found=found)

    def _asked(self, prompt: str) -> tuple[str, str] | None:
        """Return the one pair of subject and attribute that a prompt names; None where it names none, or several."""
        pairs = {
            (subject, attribute)
            for subject in self._subjects.findall(prompt)
            for attribute in self._attributes.findall(prompt)
            if (subject, attribute) in self.values
        }
        return pairs.pop() if len(pairs) == 1 else None


def hallucination_rate(checks: Iterable[Check]) -> mlm.Measure:
    """Measure the share of checkable answers that are wrong; no coverage where the table has no question."""
    count = Counter(check.verdict for check in checks)
    checked = count["right"] + count["wrong"]
    covered = checked + count["unchecked"]
    coverage = checked / covered if covered else None
    return proportion("hallucination_rate", count["wrong"], checked, coverage=coverage, note=_NOTE)


def load_facts(path: Path) -> Facts:
    """Read a table of facts: JSON lines with the strings `subject`, `attribute` and `value`."""
    values: dict[tuple[str, str], set[str]] = {}
    pools: dict[str, set[str]] = {}
    for subject, attribute, value in _rows(path):
        values.setdefault((subject, attribute), set()).add(value)
        pools.setdefault(attribute, set()).add(value)
    if not values:
        raise mlm.DataError(f"{path} holds no facts (expected JSON lines with subject, attribute and value)")
    return Facts(
        values={pair: frozenset(known) for pair, known in values.items()},
        subjects=_any_of(subject for subject, _ in values),
        attributes=_any_of(pools),
        pools={attribute: _any_of(pool) for attribute, pool in pools.items()},
    )


def _rows(path: Path) -> Iterable[tuple[str, str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise mlm.DataError(f"cannot read the facts in {path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield _folded(row["subject"]), _folded(row["attribute"]), _folded(row["value"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"{path}:{number} is no fact (expected a JSON object with strings subject, attribute, value)"
            raise mlm.DataError(message) from error


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    # The longest phrase first, so that "new york city" is not found as "new york".
    ordered = sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, ordered)) + r")(?!\w)")
