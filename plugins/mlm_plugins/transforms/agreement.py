"""How well two labellers agree, beyond what chance would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from attrs import define, field, frozen
from attrs.validators import and_, ge, le, max_len, min_len

import mlm
from mlm.measures import wilson
from mlm_plugins.transforms.findings import MOST_LISTED, Findings

Pairs = Mapping[tuple[str, ...], int]
"""How many rows have each pair of labels."""


@frozen(kw_only=True)
class Agreement:
    """That two columns of labels agree in the rows that have both.

    Attributes:
        columns: Two columns.
        min: What Cohen's kappa is at least, at the lower end of its 95 % interval.
    """

    columns: list[str] = field(validator=and_(min_len(2), max_len(2)))
    min: float = field(validator=and_(ge(-1), le(1)))


def kappa(pairs: Pairs) -> tuple[float, float, float] | None:
    """Return Cohen's kappa and the ends of its 95 % interval; None where chance alone gives certain agreement.

    Kappa is (p - e) / (1 - e), of the share p of rows that agree and the share e that would by chance (Cohen 1960).
    The interval is Wilson's for p, with e as it is.
    """
    total = sum(pairs.values())
    first, second = Counter[str](), Counter[str]()
    for (one, other), count in pairs.items():
        first[one] += count
        second[other] += count
    chance = sum(count * second[label] for label, count in first.items()) / max(total, 1) ** 2
    if not total or chance == 1:
        return None
    same = sum(count for (one, other), count in pairs.items() if one == other)
    value, low, high = ((share - chance) / (1 - chance) for share in (same / total, *wilson(same, total)))
    return value, low, high


@define
class Compared:
    """Two columns on their way through."""

    agreement: Agreement
    _pairs: Counter[tuple[str, ...]] = field(factory=Counter)
    _differing: list[tuple[str, str, str]] = field(factory=list)

    def add(self, batch: mlm.Batch, labels: Sequence[Sequence[str | None]]) -> None:
        """Compare the labels of some rows; null and an empty text are none."""
        for place, pair in enumerate(zip(*labels, strict=True)):
            if all(pair):
                self._pairs[pair] += 1
                if pair[0] != pair[1] and len(self._differing) < MOST_LISTED:
                    self._differing.append(self._named(batch, place, pair))

    def _named(self, batch: mlm.Batch, place: int, pair: tuple[str, ...]) -> tuple[str, str, str]:
        row = batch.table.select(["row_id", "source"]).slice(place, 1).to_pylist()[0]
        one, other = self.agreement.columns
        return row["row_id"], row["source"], f"{one} is {pair[0]}, {other} is {pair[1]}"

    def found(self) -> dict[str, float]:
        """Return kappa, under a name that has the columns; nothing where there is none."""
        found = kappa(self._pairs)
        return {f"kappa_{'_'.join(self.agreement.columns)}": found[0]} if found else {}

    def settle(self, findings: Findings) -> None:
        """Note what is wrong, and the first of the rows that differ."""
        one, other = self.agreement.columns
        total = sum(self._pairs.values())
        found = kappa(self._pairs)
        if not total:
            findings.whole(f"no row has both '{one}' and '{other}', so their agreement is unknown")
        elif not found:
            label = next(iter(self._pairs))[0]
            rows = f"all {total} rows with '{one}' and '{other}' are '{label}' in both"
            findings.whole(f"{rows}, so their agreement is unknown")
        elif found[1] < self.agreement.min:
            value, low, high = found
            told = f"'{one}' and '{other}' agree in {total} rows with kappa {value:.3g} [{low:.3g}, {high:.3g}]"
            findings.whole(f"{told}, expected at least {self.agreement.min:g} at the lower end")
            differing = sum(count for pair, count in self._pairs.items() if pair[0] != pair[1])
            findings.rows(f"'{one}' and '{other}' differ", self._differing, differing)
