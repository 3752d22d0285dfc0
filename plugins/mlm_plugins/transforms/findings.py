"""What a contract found broken: counted by rule, the first rows named, all of them listed in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from attrs import define, field

import mlm

_NAMED = 3
"""Rows of each rule that the message names."""
MOST_LISTED = 100_000
"""Rows of each rule that the file lists: it stays smaller than what it is about."""


@define
class Findings:
    """Collects broken rules; `settle` raises where there are any."""

    step: str
    file: Path
    _counts: dict[str, int] = field(factory=dict)
    _named: dict[str, list[str]] = field(factory=dict)
    _out: IO[str] | None = None

    def whole(self, rule: str) -> None:
        """Note a rule that the dataset as a whole breaks."""
        self._counts[rule] = 0

    def rows(self, rule: str, rows: Iterable[tuple[str, str, str]], count: int | None = None) -> None:
        """Note rows that break a rule, each as (row_id, source, why); `count` where only some of them are given."""
        given = 0
        for row_id, source, why in rows:
            given += 1
            named = self._named.setdefault(rule, [])
            if len(named) < _NAMED:
                named.append(f"{row_id} at {source}" + (f": {why}" if why else ""))
            if self._counts.get(rule, 0) + given <= MOST_LISTED:
                self._list({"rule": rule, "row_id": row_id, "source": source, "why": why})
        found = given if count is None else count
        if found:
            self._counts[rule] = self._counts.get(rule, 0) + found

    def settle(self) -> None:
        """Raise DataError that tells all of them at once, where there are any."""
        if self._out:
            self._out.close()
        if not self._counts:
            return
        told = [self._told(rule, count) for rule, count in self._counts.items()]
        broken = "1 rule is broken" if len(told) == 1 else f"{len(told)} rules are broken"
        listed = f"; the rows are listed in {self.file}" if self._named else ""
        raise mlm.DataError(f"{self.step}: {broken}: {'; '.join(told)}{listed}")

    def _told(self, rule: str, count: int) -> str:
        if not count:
            return rule
        more = ", ..." if count > _NAMED else ""
        return f"{rule}: {count} row{'s' * (count > 1)} ({', '.join(self._named[rule])}{more})"

    def _list(self, line: dict[str, str]) -> None:
        if self._out is None:
            self._out = self.file.open("w", encoding="utf-8")
        self._out.write(json.dumps(line, ensure_ascii=False) + "\n")
