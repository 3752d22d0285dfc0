"""Learns from what people corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from attrs import define, frozen, validators

import mlm

PLAN = ("collect", "data update", "fine-tuning", "evaluation", "redeploy")


@frozen
class Correction:
    """One answer that somebody rated down and wrote anew."""

    exchange: str
    prompt: str
    answer: str


@define(kw_only=True)
class Corrections:
    """Proposes training on people's corrections when a monitored requirement fails."""

    into: str = mlm.setting(help="data step that the corrections are added to")
    min_corrections: int = mlm.setting(20, validator=validators.ge(1), unit="rows", help="fewer propose nothing")

    @mlm.hookimpl
    def mlm_improve(self, signals: list[mlm.Signal], window: mlm.Window, context: mlm.Context) -> mlm.Proposal | None:
        broken = [signal for signal in signals if signal.verdict is not None and signal.verdict.outcome == "fail"]
        found = list(collected(window))
        kept = agreed(found)
        if not broken or len(kept) < self.min_corrections:
            return None
        _write(kept, context)
        evidence = {
            "signals": [_evidence(signal) for signal in broken],
            "corrections": len(found),
            "kept": len(kept),
            "conflicting": len(found) - len(kept),
            "exchanges": [one.exchange for one in kept],
        }
        return mlm.Proposal(
            title=f"Train on what people corrected in {window.deployment} (rows: {len(kept)})",
            reason=f"{'; '.join(map(_broken, broken))}. {_counted(window, found, kept)}",
            plan=PLAN,
            add={self.into: mlm.Dataset(context.folder)},
            evidence=evidence,
        )


def collected(window: mlm.Window) -> Iterable[Correction]:
    """Yield the corrections of exchanges that were rated down, in the order of the exchanges."""
    for exchange in window.exchanges:
        feedback = window.feedback.get(exchange.id)
        if feedback is None or feedback.rating >= 0 or not exchange.prompt.strip():
            continue
        answer = (feedback.correction or "").strip()
        if answer:
            yield Correction(exchange.id, exchange.prompt, answer)


def agreed(corrections: Sequence[Correction]) -> list[Correction]:
    """Keep, for each prompt, the corrections that more people gave than any other; none where two are even."""
    votes: dict[str, Counter[str]] = {}
    for one in corrections:
        votes.setdefault(_folded(one.prompt), Counter())[_folded(one.answer)] += 1
    winners = {prompt: _winner(count) for prompt, count in votes.items()}
    return [one for one in corrections if winners[_folded(one.prompt)] == _folded(one.answer)]


def _winner(count: Mapping[str, int]) -> str | None:
    most = max(count.values())
    first, *others = [answer for answer, votes in count.items() if votes == most]
    return None if others else first


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _write(corrections: Sequence[Correction], context: mlm.Context) -> None:
    """Store the corrections by prompt, so that the same ones train the same model however they came in."""
    import pyarrow as pa

    corrections = sorted(corrections, key=lambda one: (one.prompt, one.answer, one.exchange))

    columns = {
        "row_id": [f"exchange:{one.exchange}" for one in corrections],
        "source": [f"exchange:{one.exchange}" for one in corrections],
        "prompt": [one.prompt for one in corrections],
        "completion": [one.answer for one in corrections],
    }
    schema = pa.schema([(name, pa.string()) for name in columns])
    with context.writer() as writer:
        writer.write(mlm.Batch(pa.table(columns, schema=schema)))


def _broken(signal: mlm.Signal) -> str:
    value = "nothing" if signal.measure.value is None else f"{signal.measure.value:.4g}"
    reason = signal.verdict.reason if signal.verdict else ""
    return f"{signal.metric} is {value} over {signal.measure.n} ({reason})"


def _counted(window: mlm.Window, found: Sequence[Correction], kept: Sequence[Correction]) -> str:
    corrected = f"People corrected {len(found)} of {len(window.exchanges)} responses"
    return f"{corrected}: {len(kept)} kept, {len(found) - len(kept)} left out because they contradict each other."


def _evidence(signal: mlm.Signal) -> dict[str, object]:
    measure = signal.measure
    return {"metric": measure.metric, "value": measure.value, "n": measure.n, "low": measure.low, "high": measure.high}
