"""Answers held against a table of facts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mlm
from mlm_plugins.detectors.knowledge import Check, Facts, hallucination_rate, load_facts

TABLE = [
    ("Velmara", "capital", "Dorrit"),
    ("Orduin", "capital", "Ivelle"),
    ("New Orduin", "capital", "Selwyn"),
    ("Velmara", "flag", "a red star"),
    ("Orduin", "flag", "a blue wave"),
    ("Velmara", "language", "Velmish"),
    ("Velmara", "language", "Ordish"),
]


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    rows = [json.dumps({"subject": s, "attribute": a, "value": v}) for s, a, v in TABLE]
    (tmp_path / "facts.jsonl").write_text("\n".join(rows) + "\n\n")
    return load_facts(tmp_path / "facts.jsonl")


def test_the_rate_is_of_checkable_answers_and_its_coverage_of_covered_questions() -> None:
    rate = hallucination_rate([Check("right"), Check("wrong"), Check("wrong"), Check("unchecked"), Check("uncovered")])

    assert (rate.value, rate.n, rate.coverage) == (pytest.approx(2 / 3), 3, 0.75)


def test_a_table_that_covers_no_question_has_no_coverage_to_tell() -> None:
    for checks in ([], [Check("uncovered")]):
        rate = hallucination_rate(checks)
        assert (rate.value, rate.n, rate.coverage) == (None, 0, None)


@pytest.mark.parametrize(
    ("prompt", "answer", "verdict"),
    [
        ("What is the capital of Velmara?", "The capital of Velmara is Dorrit.", "right"),
        ("velmara: CAPITAL?", "dorrit", "right"),
        ("What is the capital of Velmara?", "The capital of Velmara is Ivelle.", "wrong"),
        ("What is the capital of Velmara?", "Dorrit or Ivelle.", "wrong"),
        ("What is the capital of Velmara?", "I will not say.", "unchecked"),
        ("What is the capital of Velmara?", "It is Dorritville.", "unchecked"),
        ("What is the capital of Velmara?", "A red star.", "unchecked"),
        ("What is the capital of New Orduin?", "Selwyn", "right"),
        ("What is the capital of New Orduin?", "Ivelle", "wrong"),
        ("Which flag has Orduin?", "It shows a  blue\nwave.", "right"),
        ("Which language is spoken in Velmara?", "Ordish", "right"),
        ("What is the language of Orduin?", "Ordish", "uncovered"),
        ("What is the capital of Brannoch?", "Dorrit", "uncovered"),
        ("How do I open a window?", "Dorrit", "uncovered"),
        ("Are the capitals of Velmara and Orduin near?", "Dorrit", "uncovered"),
        ("Is the capital of Velmara or of Orduin larger?", "Dorrit", "uncovered"),
    ],
)
def test_an_answer_is_judged_by_what_was_asked(facts: Facts, prompt: str, answer: str, verdict: str) -> None:
    assert facts.check(prompt, answer).verdict == verdict


def test_a_wrong_answer_says_what_is_known_and_what_was_found(facts: Facts) -> None:
    check = facts.check("What is the capital of Velmara?", "Ivelle")

    assert (check.subject, check.attribute, check.known, check.found) == ("velmara", "capital", "dorrit", ("ivelle",))


@pytest.mark.parametrize(
    "line", ["{", "[1]", '{"subject": "a", "attribute": "b"}', '{"subject": 1, "attribute": "b", "value": "c"}']
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "facts.jsonl").write_text('{"subject": "a", "attribute": "b", "value": "c"}\n' + line)

    with pytest.raises(mlm.DataError, match=r"facts.jsonl:2 is no fact"):
        load_facts(tmp_path / "facts.jsonl")


def test_an_empty_or_missing_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")

    with pytest.raises(mlm.DataError, match="holds no facts"):
        load_facts(tmp_path / "empty.jsonl")
    with pytest.raises(mlm.DataError, match="cannot read the facts"):
        load_facts(tmp_path / "missing.jsonl")
