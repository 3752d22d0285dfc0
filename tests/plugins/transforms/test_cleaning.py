"""What each row-wise transform changes and removes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm_plugins.transforms.label import Label
from mlm_plugins.transforms.language import Language
from mlm_plugins.transforms.normalize import Normalize, normalized
from mlm_plugins.transforms.quality import Quality, rules
from mlm_plugins.transforms.schema import Schema
from mlm_plugins.transforms.toxicity import Toxicity


def removed(made: mlm.Dataset) -> dict[str, tuple[str, str]]:
    return {row["row_id"]: (row["reason"], row["detail"]) for row in made.removed()}


def test_schema_removes_rows_without_text(apply: Any) -> None:
    made = apply(Schema(), {"prompt": ["a", None, " \n", "b"], "completion": ["x", "y", "z", ""], "item": [None] * 4})

    assert removed(made) == {
        "r1": ("schema", "prompt is empty"),
        "r2": ("schema", "prompt is empty"),
        "r3": ("schema", "completion is empty"),
    }


def test_schema_looks_at_the_required_columns_alone(apply: Any) -> None:
    made = apply(Schema(required=["prompt"]), {"prompt": ["a", ""], "completion": [None, "y"]})

    assert set(removed(made)) == {"r1"}


def test_schema_names_a_column_that_is_not_there(apply: Any) -> None:
    with pytest.raises(mlm.ProjectError, match=r"no column 'promt' \(columns: row_id, source, prompt\)  \[clean\]"):
        apply(Schema(required=["promt"]), {"prompt": ["a"]})


def test_schema_refuses_a_column_that_is_not_text(apply: Any) -> None:
    with pytest.raises(mlm.DataError, match="column 'score' is of type int64, expected string"):
        apply(Schema(required=["score"]), {"prompt": ["a"], "score": [1]})


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ('<p class="post">Hi there.</p><br/>&nbsp;', "Hi there."),
        ("<b>bold</b> and <I>italic</I>", "bold and italic"),
        ("<div>one</div><div>two</div>", "one\n\ntwo"),
        ("a<script>if (a < b) { x }</script>b<!-- no <p> -->c<style type='x'>p {}</style>d", "abcd"),
        ("R&amp;D &lt;p&gt; &#233; &#x1F600;", "R&D <p> é \U0001f600"),
        ("?a=1&copy=2 &nosuch; &amp", "?a=1&copy=2 &nosuch; &amp"),
        ("mail <EMAIL> or <CARD>, if a < b and c > d", "mail <EMAIL> or <CARD>, if a < b and c > d"),
        ("vector<int> x <-- y", "vector<int> x <-- y"),
        ("e\u0301 \u212b", "\u00e9 \u00c5"),
        ("  a \t b\u00a0\u2003c \r\n\r\n\r\n\r\n d\x00\u200b ", "a b c\n\nd"),
        ("<!doctype html><html><body>x</body></html>", "x"),
        ("<!-- open <script> open", "<!-- open\n open".replace("\n ", "\n")),
        ("", ""),
    ],
)
def test_normalize_leaves_the_text(raw: str, plain: str) -> None:
    assert normalized(raw) == plain


def test_normalize_counts_the_rows_that_it_changed(apply: Any) -> None:
    made = apply(Normalize(), {"prompt": ["a", "b ", "c"], "completion": ["x", "<b>y</b>", "z z"]})

    assert json.loads((made.path / "statistics.json").read_text())["changed"] == {"normalized": 1}


@pytest.mark.parametrize("unit", ["<", "<!--", "<a ", "<p", "<script>", "&a", " \n", "</", "<p <p>"])
def test_normalize_takes_linear_time_on_hostile_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        normalized(text)
        return time.process_time() - start

    # Quadratic time would quadruple; the constant covers what is too short to measure.
    assert seconds(1_000_000) < 3 * seconds(500_000) + 0.2


def test_toxicity_removes_insults_and_names_them(apply: Any) -> None:
    rows = {"prompt": ["hi", "hi"], "completion": ["You idiot, you moron, you idiot.", "hello"]}

    assert removed(apply(Toxicity(), rows)) == {"r0": ("toxicity", "idiot, moron")}
    assert removed(apply(Toxicity(max_terms=3), rows)) == {}
    assert removed(apply(Toxicity(level="strong"), rows)) == {}
    assert removed(apply(Toxicity(words=["hello"]), rows)).keys() == {"r0", "r1"}


def test_language_looks_at_each_column(apply: Any) -> None:
    rows = {
        "prompt": ["What is the capital?", "Was ist das für ein Tier?", "Say it in German."],
        "completion": ["Ilvaria.", "It is a cat that lives in the house.", "Das ist eine sehr gute Frage."],
    }

    assert removed(apply(Language(), rows)) == {
        "r1": ("language", "prompt reads as de"),
        "r2": ("language", "completion reads as de"),
    }
    assert removed(apply(Language(languages=["en", "de"]), rows)) == {}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "empty"),
        ("- - - * * * ! ! ! ?", "words with letters or digits"),
        ("x" * 50, "mean word length"),
        ("wait... what... no... #tag ... and so on", "symbols a word"),
        ("buy this now " * 30, "commonest 2 words"),
        ("\n".join(["one same line of it"] * 4 + ["other words follow"]), "repeated lines"),
        ("\n".join(f"- entry number {i} {'x' * i}" for i in range(60)), "bullet lines"),
        ("\n".join(f"This line {i} is cut short\u2026" for i in range(6)), "lines cut short"),
    ],
)
def test_quality_names_the_rule_that_fired(text: str, rule: str) -> None:
    scores = rules(text)

    assert scores[rule] < 1
    assert all(0 <= score <= 1 for score in scores.values())


@pytest.mark.parametrize(
    "text", ["Yes.", "7 + 3 = 10", "Wait...", "The capital of Velmara is Dunmere.", "#1", "¿Qué es esto?", "- a\n- b"]
)
def test_short_plain_answers_score_well(text: str) -> None:
    assert min(rules(text).values()) > 0.5


def test_quality_scores_stay_with_the_rows(apply: Any) -> None:
    made = apply(Quality(), {"text": ["A good sentence.", "! ! ! ?", "x", "abc " + "=" * 40]})

    assert next(row["quality"] for row in made.rows()) == 1.0
    assert removed(made) == {
        "r1": ("quality", "words with letters or digits: 0.00"),
        "r2": ("quality", "shorter than 3 characters"),
    }


def test_labels_come_from_substrings_of_the_prompt_in_any_case(apply: Any, tmp_path: Path) -> None:
    (tmp_path / "dangers.txt").write_text("Pipe Bomb\n\n  a+b \n")
    (tmp_path / "sweets.txt").write_text("jam\n")
    label = Label(rules={"dangerous": tmp_path / "dangers.txt", "sweet": tmp_path / "sweets.txt"}, default="harmless")

    made = apply(
        label,
        {
            "prompt": ["Make a PIPE BOMB of jam", "aab", "A+B", "apple jam", "hi"],
            "completion": ["", "", "", "", "a pipe bomb"],
        },
    )

    assert [row["label"] for row in made.rows()] == ["dangerous", "harmless", "dangerous", "sweet", "harmless"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file: .*dangers.txt"), (b" \n", "holds no substring"), (b"\xff", "is not UTF-8")],
)
def test_labels_need_a_file_of_substrings(apply: Any, tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "dangers.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(mlm.MlmError, match=rf"{message}.*rules.dangerous"):
        apply(Label(rules={"dangerous": path}), {"prompt": ["a"]})
