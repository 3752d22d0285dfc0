"""What evaluators keep to."""

from __future__ import annotations

import math
from collections.abc import Callable

from attrs import evolve

from mlm.artifacts import Model, Report
from mlm.serving import Engine
from mlm.testing.bench import Bench
from mlm.testing.checking import Untested, check, demand, demand_its_word
from mlm.testing.scripted import ScriptedEngine

_OWN_ROWS = "bring rows with answers that it tells apart: `completion` is right, `rejected` wrong (`rows`, `--rows`)"


@check("evaluators")
def announces_what_it_measures(bench: Bench) -> None:
    """Its `metrics` name every measure beforehand, with unit and direction, and it measures nothing else."""
    plugin = bench.plugin()
    demand(bool(plugin.metrics), "`metrics` is empty; without it no requirement can name what this measures")
    names = [spec.name for spec in plugin.metrics]
    demand(len(set(names)) == len(names), f"`metrics` names a metric twice: {', '.join(names)}")
    demand(
        all(name.isidentifier() for name in names), f"a metric's name is a word with underscores: {', '.join(names)}"
    )
    demand(all(spec.help for spec in plugin.metrics), "a metric has no help")
    demand_its_word(_report(bench).measures, plugin.metrics)


@check("evaluators")
def scores_the_same_answers_the_same(bench: Bench) -> None:
    """The same answers get the same values."""
    if not getattr(bench.cls, "machine_bound", False):
        first, second = _values(_report(bench)), _values(_report(bench))
        demand(first == second, f"the same answers got {first}, then {second}; draw chance from context.seed alone")


@check("evaluators")
def puts_each_value_into_its_interval(bench: Bench) -> None:
    """An interval contains its value, and a value is a number or None."""
    measures = _report(bench).measures
    demand(
        any(one.value is not None for one in measures),
        "it measured nothing; give it rows that it can judge",
    )
    for measure in measures:
        if measure.value is None:
            continue
        demand(math.isfinite(measure.value), f"{measure.metric} is {measure.value}; None stands for 'not measured'")
        low, high = measure.low, measure.high
        if low is not None and high is not None:
            inside = low - 1e-9 <= measure.value <= high + 1e-9
            demand(inside, f"{measure.metric} = {measure.value} lies outside its interval [{low}, {high}]")
        demand(measure.n >= 0, f"{measure.metric} says n = {measure.n}")


@check("evaluators")
def likes_right_answers_better(bench: Bench) -> None:
    """A metric where higher is better is higher for right answers than for wrong ones, and the other way round."""
    metrics = bench.plugin().metrics
    directed = [spec for spec in metrics if spec.direction != "neither"]
    if not directed:
        raise Untested(f"{', '.join(spec.name for spec in metrics)}: no direction says which values are better")
    if getattr(bench.cls, "machine_bound", False):
        raise Untested("it measures the machine, and not whether answers are right")
    if bench.engine_of is not None:
        raise Untested("it was given an engine, of which nobody knows a wrong answer")
    wrong_bench = evolve(bench, folder=bench.folder / "wrong", engine_of=_wrong(bench))
    right, wrong = _values(_report(bench)), _values(_report(wrong_bench))
    alike = []
    for spec in directed:
        good, bad = right.get(spec.name), wrong.get(spec.name)
        if good is None or bad is None or good == bad:
            alike.append(spec.name)
            continue
        better = good > bad if spec.direction == "higher" else good < bad
        demand(
            better,
            f"{spec.name} ({spec.direction} is better) is {good} for right answers and {bad} for wrong ones; where the"
            f" answers mislead it, {_OWN_ROWS}",
        )
    if alike:
        raise Untested(
            f"{', '.join(alike)}: right and wrong answers get the same value here, so the direction was not tried;"
            f" {_OWN_ROWS}"
        )


@check("evaluators")
def keeps_the_items_that_it_judged(bench: Bench) -> None:
    """Examples name rows of the data, so that `mlm show REPORT --examples` leads from a number to them."""
    data = bench.dataset()
    report = bench.plugin().report(bench.model(), data, bench.context())
    known = {row["row_id"] for row in data.rows()}
    strange = [one.row_id for one in report.examples if one.row_id.partition("#")[0] not in known]
    demand(not strange, f"an example names row '{strange[:1]}', which is not in the data; pass on the row's `row_id`")


def _report(bench: Bench) -> Report:
    return bench.plugin().report(bench.model(), bench.dataset(), bench.context())


def _values(report: Report) -> dict[str, float | None]:
    return {measure.metric: measure.value for measure in report.measures}


def _wrong(bench: Bench) -> Callable[[Model], Engine]:
    return lambda model: ScriptedEngine.of_rows(bench.rows, right=False)
