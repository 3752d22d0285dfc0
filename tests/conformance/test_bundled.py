"""Every bundled plugin under the kit that strangers get."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlm.discovery import PluginRef
from mlm.plugins import Catalogue
from mlm.testing import Bench, Check, Untested, checks_of
from mlm.testing.bench import ROWS

CATALOGUE = Catalogue.discover()
BUNDLED = [ref for ref in CATALOGUE.refs if ref.distribution == "mlm"]
BY_ITSELF = {"servers", "exporters", "trainers", "models"}
"""Kinds that need a model: their checks beyond the contract are in files of their own."""


def _jsonl(folder: Path) -> dict[str, Any]:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(dict(row)) + "\n" for row in ROWS), encoding="utf-8")
    return {"path": file}


def _text(folder: Path) -> dict[str, Any]:
    file = folder / "rows.txt"
    file.write_text("".join(f"{row['text']}\n" for row in ROWS), encoding="utf-8")
    return {"path": file}


def _facts(folder: Path) -> dict[str, Any]:
    file = folder / "facts.jsonl"
    facts = [{"subject": f"province {n}", "attribute": "capital", "value": f"City {n}"} for n in range(24)]
    file.write_text("".join(json.dumps(fact) + "\n" for fact in facts), encoding="utf-8")
    return {"facts": file}


def _rules(folder: Path) -> dict[str, Any]:
    file = folder / "rivers.txt"
    file.write_text("river\n", encoding="utf-8")
    return {"rules": {"river": file}, "default": "dry"}


SETTINGS: Mapping[str, Any] = {
    "sources/jsonl": _jsonl,
    "sources/text": _text,
    "transforms/label": _rules,
    "evaluators/hallucination": _facts,
    "monitors/hallucination": _facts,
    "improvers/corrections": lambda folder: {"into": "lessons"},
    "models/folder": lambda folder: {"path": folder},
}


EXPECTED_FAILURES = {
    "monitors/hallucination-measures_only_what_it_announced": "the visitors of the kit ask for no fact that it knows",
}


def _marks(case: str) -> list[pytest.MarkDecorator]:
    reason = EXPECTED_FAILURES.get(case)
    return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []


def _cases() -> list[Any]:
    return [
        pytest.param(ref, check, id=(case := f"{ref.kind}/{ref.name}-{check.name}"), marks=_marks(case))
        for ref in BUNDLED
        for check in checks_of(ref.kind)
        if ref.kind not in BY_ITSELF or check.kind == "any"
    ]


@pytest.mark.parametrize(("ref", "check"), _cases())
def test_a_bundled_plugin_keeps_to_the_contract(ref: PluginRef, check: Check, tmp_path: Path) -> None:
    configure = SETTINGS.get(f"{ref.kind}/{ref.name}", lambda folder: {})
    try:
        check.run(Bench(ref.kind, CATALOGUE.load(ref), tmp_path, configure))
    except Untested as reason:
        pytest.fail(f"nothing was tested: {reason}")
