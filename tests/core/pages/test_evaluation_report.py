"""The report of one evaluation, for programs and for people."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mlm.artifacts import Example, Report
from mlm.bindings import bind
from mlm.measures import Measure, proportion
from mlm.pages.evaluation import MOST_EXAMPLES, read_report, write_report
from mlm.plan import InputNode
from mlm.plugins import Catalogue
from mlm.steps import Step
from mlm_registry import Node

Parse = Callable[[str], ET.Element]
INPUTS: tuple[InputNode, ...] = (
    ("model", Node("chat", "model", "m" * 64, 2), None),
    ("data", Node("facts", "dataset", "d" * 64, 1), "test"),
)


def step(use: str = "exact-match", **settings: object) -> Step:
    binding = bind(Catalogue.discover(), "evaluators", {"use": use, **settings}, "mlm.toml, evaluation.quality", Path())
    return Step("quality:chat", "evaluation", binding)


def examples(*scores: float | None) -> tuple[Example, ...]:
    return tuple(Example(f"r{i}", "Why <b>?", "because", "so", score, "hard") for i, score in enumerate(scores))


def rows(page: ET.Element) -> list[str]:
    """Return `right` or `wrong` of each example."""
    return [row.attrib["class"] for row in page.iter("tr") if row.attrib.get("class") in ("right", "wrong")]


def test_a_report_says_what_was_measured_on_what(tmp_path: Path) -> None:
    made = Report((proportion("exact_match", 9, 10),), examples(1.0), {"backend": "torch 2"})

    written = write_report(made, step(), INPUTS, tmp_path / "out")

    assert written.path == tmp_path / "out"
    content = read_report(tmp_path / "out")
    assert (content["model"], content["data"], content["step"]) == ("chat@2", "facts@1/test", "quality:chat")
    assert content["directions"] == {"exact_match": "higher"}
    assert content["measures"][0]["value"] == 0.9
    assert content["examples"][0]["prompt"] == "Why <b>?"
    assert content["details"] == {"backend": "torch 2"}


def test_several_datasets_are_all_named(tmp_path: Path) -> None:
    more = ("data", Node("requests", "dataset", "e" * 64, 3), None)

    write_report(Report(()), step(), (*INPUTS, more), tmp_path)

    assert read_report(tmp_path)["data"] == "facts@1/test, requests@3"


def test_equal_results_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(Report((proportion("exact_match", 9, 10),), examples(0.0)), step(), INPUTS, tmp_path / name)

    for file in ("report.json", "report.html"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_numbers_that_json_does_not_know_become_null(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    details = {"loss": math.nan, "most": math.inf, "of_numpy": np.float32(0.5), "set": {"b", "a"}, "path": Path("x")}

    write_report(Report((Measure("exact_match", math.nan, 0),), (), details), step(), INPUTS, tmp_path)

    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert content["details"] == {"loss": None, "most": None, "of_numpy": 0.5, "set": ["a", "b"], "path": "x"}
    assert content["measures"][0]["value"] is None


def test_the_page_shows_wrong_examples_first_and_can_hide_the_others(tmp_path: Path, parse: Parse) -> None:
    write_report(Report((), examples(1.0, 0.0, None, 1.0)), step(), INPUTS, tmp_path)

    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = parse(text)

    assert rows(page) == ["wrong", "right", "right", "right"]
    assert "1 of 4 are wrong" in text
    assert "<script" not in text
    assert [box.attrib["type"] for box in page.iter("input")] == ["checkbox"]


def test_where_lower_is_better_a_high_score_is_the_wrong_one(tmp_path: Path, parse: Parse) -> None:
    write_report(Report((), examples(1.0, 0.0)), step("toxicity"), INPUTS, tmp_path)

    text = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert rows(parse(text)) == ["wrong", "right"]
    assert "<code>r0</code>" in text.split("<code>r1</code>")[0]


def test_the_page_is_limited_and_the_file_has_all(tmp_path: Path, parse: Parse) -> None:
    write_report(Report((), examples(*[1.0] * (MOST_EXAMPLES + 50))), step(), INPUTS, tmp_path)

    assert len(rows(parse((tmp_path / "report.html").read_text(encoding="utf-8")))) == MOST_EXAMPLES
    assert len(read_report(tmp_path)["examples"]) == MOST_EXAMPLES + 50


def test_a_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path, parse: Parse) -> None:
    write_report(Report((), (Example("r", "\ud800\x00", "a"),)), step(), INPUTS, tmp_path)

    parse((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert read_report(tmp_path)["examples"][0]["row_id"] == "r"
