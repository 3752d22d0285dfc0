"""The report of one evaluation: numbers for programs in `report.json`, the same for people in `report.html`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import evolve

from mlm.artifacts import Example, Report
from mlm.calls import Plugin
from mlm.examples import is_wrong, lower_is_better, worst_first
from mlm.measures import Measure
from mlm.pages.charts import domain_of, interval_bar
from mlm.pages.html import Html, joined, page, section, table, tag
from mlm.pages.quantities import number, quantity
from mlm.plan import InputNode
from mlm.steps import Step

MOST_EXAMPLES = 200
"""Examples that the page shows; `report.json` has them all."""


def write_report(made: Report, step: Step, inputs: tuple[InputNode, ...], folder: Path) -> Report:
    """Write `report.json` and `report.html` into a folder and return the report with that path.

    Neither holds a time or a place, so that equal results have equal bytes.
    """
    content = _content(made, step, inputs)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8", errors="replace")
    (folder / "report.html").write_text(_page(content, made), encoding="utf-8", errors="replace")
    return evolve(made, path=folder)


def read_report(folder: Path) -> dict[str, Any]:
    """Read what `write_report` wrote: step, plugin, directions, inputs, measures, examples, details."""
    content: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return content


def _content(made: Report, step: Step, inputs: tuple[InputNode, ...]) -> dict[str, Any]:
    named = [
        {"role": role, "ref": node.ref, "digest": node.digest, "split": split, "kind": node.kind}
        for role, node, split in inputs
    ]
    specs = Plugin(step.binding.ref, step.binding.build()).metrics
    return {
        "step": step.name,
        "plugin": f"{step.binding.ref.identity} {step.binding.ref.version}",
        "directions": {spec.name: spec.direction for spec in specs},
        "model": _ref(named, "model"),
        "data": _ref(named, "data"),
        "inputs": named,
        "measures": [_plain(attrs.asdict(measure)) for measure in made.measures],
        "examples": [_plain(attrs.asdict(example)) for example in made.examples],
        "details": _plain(made.details),
    }


def _ref(named: Sequence[Mapping[str, Any]], role: str) -> str | None:
    refs = [f"{i['ref']}/{i['split']}" if i["split"] else str(i["ref"]) for i in named if i["role"] == role]
    return ", ".join(refs) or None


def _plain(value: Any) -> Any:
    """Return a value as JSON types; what is no finite number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if attrs.has(type(value)):
        return _plain(attrs.asdict(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    # A NumPy scalar knows its Python value.
    return _plain(value.item()) if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else str(value)


def _page(content: Mapping[str, Any], made: Report) -> str:
    facts = [("Model", content["model"]), ("Data", content["data"]), ("Evaluator", content["plugin"])]
    facts += [(key, value) for key, value in content["details"].items() if isinstance(value, str | int | float)]
    told = tag("dl", *(tag("div", tag("dt", k), tag("dd", str(v))) for k, v in facts if v is not None), class_="facts")
    return page(
        f"Evaluation {content['step']}",
        tag("p", "Evaluation report", class_="eyebrow"),
        tag("h1", content["step"]),
        told,
        _measures(made.measures, content["directions"]),
        _examples(made.examples, lower_is_better(content)) if made.examples else None,
    )


def _measures(measures: Sequence[Measure], directions: Mapping[str, str]) -> Html:
    rows = []
    for m in measures:
        between = f"{quantity(m.low, m.unit)} to {quantity(m.high, m.unit)}" if m.low is not None else "—"
        bar = interval_bar(m.value, m.low, m.high, domain=domain_of(m.unit, (m.value, m.high)), width=220)
        covered = quantity(m.coverage, "share") if m.coverage is not None else "—"
        better = {"higher": "higher is better", "lower": "lower is better"}.get(directions.get(m.metric, ""), "")
        name = joined([m.metric, tag("div", ", ".join(filter(None, (better, m.note))), class_="small")])
        rows.append((name, quantity(m.value, m.unit), between, bar, number(m.n), covered))
    heads = ("Metric", "Value", "95 % interval", "", "n", "Coverage")
    return section(
        "Measures",
        table(heads, rows, numeric=(1, 2, 4, 5)),
        note="Coverage is the share of items that had a say in the value, where some had to leave the denominator.",
    )


def _examples(examples: Sequence[Example], lower_better: bool) -> Html:
    """List examples, the worst first; a checkbox hides the right ones by style alone."""
    wrong = sum(is_wrong(example, lower_better) for example in examples)
    shown = worst_first(examples, lower_better)[:MOST_EXAMPLES]
    heads = [tag("th", h, scope="col") for h in ("Row", "Label", "Prompt", "Answer", "Expected", "Score")]
    body = tag("tbody", *(_example(is_wrong(example, lower_better), example) for example in shown))
    rows = tag("div", tag("table", tag("thead", tag("tr", *heads)), body), class_="scroll")
    box = tag("input", type="checkbox", id="wrong-only", class_="wrong-only")
    label = tag("label", "show only the wrong ones", for_="wrong-only")
    note = f"{wrong} of {len(examples)} are wrong; {len(shown)} are shown, the worst first. All are in report.json."
    return section("Examples", tag("div", box, label, rows), note=note)


def _example(wrong: bool, example: Example) -> Html:
    score = "—" if example.score is None or math.isnan(example.score) else number(example.score)
    return tag(
        "tr",
        tag("td", tag("code", example.row_id)),
        tag("td", example.label),
        tag("td", example.prompt, class_="text"),
        tag("td", example.answer, class_="text"),
        tag("td", example.expected, class_="text"),
        tag("td", score, class_="n"),
        class_="wrong" if wrong else "right",
    )
