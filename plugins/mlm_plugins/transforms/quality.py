"""How much a row looks like what is worth learning from."""

from __future__ import annotations

from attrs import define, evolve
from attrs.validators import and_, deep_iterable, ge, in_, le, min_len

import mlm
from mlm.errors import near_miss
from mlm_plugins.detectors.columns import joined
from mlm_plugins.detectors.quality import RULES, Judgement, Rule, judged, measured


@define(kw_only=True)
class Quality:
    """Scores rows by published rules, and removes those that break one.

    Each rule gives 1 within its limit and less the further a row is outside; the score is the worst rule's. What is
    removed is counted by its worst rule (`gopher.min_words`), and keeps every rule that fired, with the value and the
    limit.
    """

    rules: list[str] = mlm.setting(
        factory=lambda: ["instruction"],
        validator=[min_len(1), deep_iterable(in_(tuple(RULES)))],
        help="sets of rules: instruction (for rows of any length), gopher, c4, fineweb (for documents)",
    )
    limits: dict[str, dict[str, float]] = mlm.setting(
        factory=dict, help="other limits than the published ones, by set and rule: { gopher = { min_words = 20 } }"
    )
    min_score: float = mlm.setting(
        1.0, validator=and_(ge(0), le(1)), help="rows below it are removed; 1: every rule must hold"
    )
    column: str = mlm.setting("quality", help="column that keeps the score; empty: none")

    def __attrs_post_init__(self) -> None:
        for name, limits in self.limits.items():
            known = [rule.name for rule in RULES[name]] if name in self.rules else []
            for rule in limits or [""]:
                if rule not in known:
                    told = ", ".join(known) or f"none, as `rules` has no '{name}'"
                    raise ValueError(f"limits.{name}: no rule '{rule}' (known: {told}){near_miss(rule, known)}")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        rules = self._rules()
        judgement = judged(measured(joined(batch.table, batch.text_columns)), list(rules.values()))
        scores = judgement.scores.min(axis=1, initial=1.0)
        details: list[str | None] = [None] * len(batch)
        for row in (scores < self.min_score).nonzero()[0]:
            details[row] = _told(judgement, row, rules)
        kept = batch.with_column(self.column, scores.round(4).tolist()) if self.column else batch
        names = list(rules)
        return kept.remove(details, [names[worst] for worst in judgement.scores.argmin(axis=1)])

    def _rules(self) -> dict[str, Rule]:
        """Return the rules by their whole names, with the limits that the settings change."""
        chosen = {}
        for name in dict.fromkeys(self.rules):
            limits = self.limits.get(name, {})
            for rule in RULES[name]:
                chosen[f"{name}.{rule.name}"] = evolve(rule, limit=limits.get(rule.name, rule.limit))
        return chosen


def _told(judgement: Judgement, row: int, rules: dict[str, Rule]) -> str:
    """Name what fired, the worst first: `gopher.min_words 12 < 50; score 0.24`."""
    scores, values = judgement.scores[row].tolist(), judgement.values[row]
    fired = sorted((score, place) for place, score in enumerate(scores) if score < 1)
    named = [(f"{name} {{:.4g}} {'<' if rule.side == 'min' else '>'} {rule.limit:g}") for name, rule in rules.items()]
    return "; ".join([*(named[place].format(values[place]) for _, place in fired), f"score {fired[0][0]:.2f}"])
