"""Broken trainers, evaluators, guards, checks and their like."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from attrs import define

import mlm
from mlm_registry import Arm

RATE = mlm.MetricSpec("rate", "share", "higher", "how often it is right")


@define(kw_only=True)
class Roulette:
    """Trains by chance."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        (context.folder / "weights").write_text(str(random.random()))
        return mlm.Model(context.folder, "scripted")


@define(kw_only=True)
class Amnesiac:
    """Begins where it stopped, and forgets what it had learned before."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        state = context.work / "step"
        first = int(state.read_text()) if state.exists() else 0
        learned = []
        for step in range(first, 10):
            state.write_text(str(step))
            context.progress(step, 10)
            learned.append(step)
        state.unlink()
        (context.folder / "weights").write_text(str(learned))
        return mlm.Model(context.folder, "scripted")


@define(kw_only=True)
class Litterer:
    """Leaves its model where it likes."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        for step in range(3):
            context.progress(step, 3)
        (data.path / "weights").write_text("1")
        (context.folder / "weights").write_text("1")
        return mlm.Model(context.folder, "scripted")


@define(kw_only=True)
class Shortsighted:
    """Saves what it has learned at the beginning, and later only how far it is."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        return _learned(context, kept=lambda learned: learned[:4])


@define(kw_only=True)
class Patchy:
    """Saves what it has learned since it was taken up, and forgets what was before."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        first = len(_saved(context)["learned"])
        return _learned(context, kept=lambda learned: learned[first:])


def _saved(context: mlm.Context) -> dict[str, Any]:
    state = context.work / "state.json"
    return json.loads(state.read_text()) if state.exists() else {"step": 0, "learned": []}  # type: ignore[no-any-return]


def _learned(context: mlm.Context, kept: Callable[[list[int]], list[int]]) -> mlm.Model:
    """Learn ten things, and save after each what is to be kept."""
    saved = _saved(context)
    learned = list(saved["learned"])
    for step in range(saved["step"], 10):
        learned.append(step)
        (context.work / "state.json").write_text(json.dumps({"step": step + 1, "learned": kept(learned)}))
        context.progress(step + 1, 10)
    (context.folder / "weights").write_text(str(learned))
    return mlm.Model(context.folder, "scripted")


def _report(value: float | None, low: float | None = None, high: float | None = None, **more: Any) -> mlm.Report:
    return mlm.Report((mlm.Measure("rate", value, 10, low, high),), **more)


@define(kw_only=True)
class Moody:
    """Judges by its mood."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (mlm.MetricSpec("rate", "share", "neither", "its mood"),)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        return _report(random.random())


@define(kw_only=True)
class Outside:
    """Puts its value beside its interval."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (RATE,)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        return _report(0.9, 0.1, 0.2)


@define(kw_only=True)
class UpsideDown:
    """Says that higher is better, and gives wrong answers the higher value."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (RATE,)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        engine, rows = context.load(model), list(data.rows())
        prompts = [engine.tokenizer.chat([{"role": "user", "content": row["prompt"]}]) for row in rows]
        answers = engine.generate(prompts, mlm.Sampling(max_tokens=200))
        wrong = sum(a.text != row["completion"] for a, row in zip(answers, rows, strict=True))
        return _report(wrong / len(rows))


@define(kw_only=True)
class Stranger:
    """Names rows that nobody gave it."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (RATE,)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        return _report(0.5, examples=(mlm.Example("row of another set", "?", "!"),))


@define(kw_only=True)
class Nameless:
    """Measures what no requirement can name."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (mlm.MetricSpec("rate", "share"),)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        return _report(0.5)


@define(kw_only=True)
class Chatty:
    """Measures more than it announced."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (RATE,)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        return mlm.Report((mlm.Measure("rate", 0.5, 10), mlm.Measure("words", 7.0, 10)))


@define(kw_only=True)
class Converter:
    """Announces one unit, and measures in another."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (RATE,)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        return mlm.Report((mlm.Measure("rate", 50.0, 10, unit="percent"),))


@define(kw_only=True)
class Eavesdropper:
    """Watches more than it announced."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (RATE,)

    @mlm.hookimpl
    def mlm_measure(self, window: mlm.Window) -> list[mlm.Signal]:
        return [mlm.Signal(mlm.Measure("gossip", 0.5, 10), window.deployment)]


class _Guard:
    name = "broken"
    holdback = 0

    def __init__(self, judge: Callable[[str], mlm.Judged]) -> None:
        self._judge = judge

    async def judge(self, text: str, direction: str) -> mlm.Judged:
        return self._judge(text)


@define(kw_only=True)
class Secretive:
    """Blocks and does not say why."""

    @mlm.hookimpl
    def mlm_guard(self, context: mlm.Context) -> mlm.Guard:
        return _Guard(lambda text: mlm.Judged("block" if "card" in text else "allow", text))  # type: ignore[return-value]


@define(kw_only=True)
class Fickle:
    """Redacts what it has just redacted."""

    @mlm.hookimpl
    def mlm_guard(self, context: mlm.Context) -> mlm.Guard:
        def judge(text: str) -> mlm.Judged:
            return mlm.Judged("redact", f"{text} [checked]", "checked") if "@" in text else mlm.Judged("allow", text)

        return _Guard(judge)  # type: ignore[return-value]


@define(kw_only=True)
class Backtracker:
    """Has a pattern that takes for ever."""

    @mlm.hookimpl
    def mlm_guard(self, context: mlm.Context) -> mlm.Guard:
        pattern = re.compile(r"(a|aa)+b")

        def judge(text: str) -> mlm.Judged:
            # Sixty characters are enough: the sun will have burnt out.
            return mlm.Judged("block", "", "found") if pattern.match(text[:60]) else mlm.Judged("allow", text)

        return _Guard(judge)  # type: ignore[return-value]


@define(kw_only=True)
class Silent:
    """Refuses without a word."""

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate, context: mlm.Context) -> mlm.Verdict:
        return mlm.Verdict("fail", "", "")


@define(kw_only=True)
class Notary:
    """Writes down what it decides."""

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate, context: mlm.Context) -> mlm.Verdict:
        (context.folder / "decisions").write_text("pass")
        return mlm.Verdict("pass", "fine", "it is fine")


@define(kw_only=True)
class Forgetful:
    """Leaves the last shard of a pass out."""

    @mlm.hookimpl
    def mlm_execute(self, work: Callable[[], Any]) -> Any:
        return work()

    @mlm.hookimpl
    def mlm_spread(self, work: Callable[[Any], int], shards: Sequence[Any]) -> Iterator[int]:
        return map(work, shards[:-1])


@define(kw_only=True)
class Swallower:
    """Keeps the errors of a step to itself."""

    @mlm.hookimpl
    def mlm_execute(self, work: Callable[[], Any], context: mlm.Context) -> Any:
        try:
            return work()
        except Exception:
            return None


@define(kw_only=True)
class Thrower:
    """Cannot bear bad news."""

    @mlm.hookimpl
    def mlm_observe(self, event: mlm.StepEvent) -> None:
        if event.status == "failed":
            raise RuntimeError("no!")


class _Rollout:
    first_share = 0.05

    def route(self, key: str, arms: tuple[Arm, ...]) -> Arm:
        return random.choices(arms, [arm.share for arm in arms])[0]

    def judge(self, stage: mlm.Stage) -> mlm.Move:
        if any(not verdict.passed for verdict in stage.verdicts):
            return mlm.Move("rollback", 0.0, "a requirement failed")
        return mlm.Move("hold", stage.share, "not enough requests")


class _Bold(_Rollout):
    def route(self, key: str, arms: tuple[Arm, ...]) -> Arm:
        import zlib

        return arms[0] if zlib.crc32(key.encode()) % 100 < arms[0].share else arms[1]

    def judge(self, stage: mlm.Stage) -> mlm.Move:
        return mlm.Move("advance" if stage.requests else "hold", 1.0, "onward")


@define(kw_only=True)
class Fluttering:
    """Sends a visitor now here, now there."""

    @mlm.hookimpl
    def mlm_rollout(self, context: mlm.Context) -> mlm.Rollout:
        return _Rollout()  # type: ignore[return-value]


@define(kw_only=True)
class Reckless:
    """Goes on whatever was measured."""

    @mlm.hookimpl
    def mlm_rollout(self, context: mlm.Context) -> mlm.Rollout:
        return _Bold()  # type: ignore[return-value]


@define(kw_only=True)
class Eager:
    """Proposes before anybody asked."""

    @mlm.hookimpl
    def mlm_improve(self, signals: list[mlm.Signal], window: mlm.Window, context: mlm.Context) -> mlm.Proposal | None:
        return mlm.Proposal("more", "because", ("train more",), set={"training.chat": {"steps": 9}})


def animals() -> list[tuple[str, type[Any], str]]:
    """List kind, class and the check that finds it."""
    return [
        ("trainers", Roulette, "makes_the_same_of_the_same_seed"),
        ("trainers", Amnesiac, "goes_on_after_an_interruption"),
        ("trainers", Shortsighted, "goes_on_after_an_interruption"),
        ("trainers", Patchy, "goes_on_after_an_interruption"),
        ("trainers", Litterer, "leaves_everything_else_alone"),
        ("evaluators", Moody, "scores_the_same_answers_the_same"),
        ("evaluators", Outside, "puts_each_value_into_its_interval"),
        ("evaluators", UpsideDown, "likes_right_answers_better"),
        ("evaluators", Stranger, "keeps_the_items_that_it_judged"),
        ("evaluators", Nameless, "announces_what_it_measures"),
        ("evaluators", Chatty, "announces_what_it_measures"),
        ("evaluators", Converter, "announces_what_it_measures"),
        ("monitors", Eavesdropper, "measures_only_what_it_announced"),
        ("guards", Secretive, "judges_both_directions"),
        ("guards", Fickle, "judges_the_same_again"),
        ("guards", Backtracker, "bears_a_megabyte_of_hostile_text"),
        ("checks", Silent, "gives_a_reason_with_each_refusal"),
        ("checks", Notary, "decides_the_same_again_and_writes_nothing"),
        ("executors", Swallower, "runs_the_work_once_and_passes_on_what_it_raises"),
        ("executors", Forgetful, "runs_every_shard_once_and_passes_on_what_it_raises"),
        ("policies", Thrower, "bears_every_event"),
        ("rollouts", Fluttering, "routes_a_key_to_one_arm"),
        ("rollouts", Reckless, "never_goes_on_against_a_verdict"),
        ("improvers", Eager, "proposes_nothing_without_a_reason"),
    ]
