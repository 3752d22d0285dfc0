"""What each row-wise transform changes and removes."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from trial import TrialProject

import mlm
from mlm_plugins.detectors.boilerplate import c4
from mlm_plugins.trainers.text_classifier import TextClassifier
from mlm_plugins.transforms.boilerplate import Boilerplate
from mlm_plugins.transforms.label import Label
from mlm_plugins.transforms.language import Language
from mlm_plugins.transforms.language_id import LanguageId
from mlm_plugins.transforms.mojibake import Mojibake
from mlm_plugins.transforms.normalize import Normalize
from mlm_plugins.transforms.quality import Quality
from mlm_plugins.transforms.schema import Schema
from mlm_plugins.transforms.toxicity import Toxicity

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")


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


def changed(made: mlm.Dataset) -> dict[str, tuple[str, str]]:
    return {row["row_id"]: (row["reason"], row["detail"]) for row in made.changed()}


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
def test_normalize_leaves_the_text_of_pages(apply: Any, raw: str, plain: str) -> None:
    made = apply(Normalize(markup=True, spaces=True), {"text": [raw]})

    assert [row["text"] for row in made.rows()] == [plain]


ANSWERS = (
    "```python\ndef f(a):\n    if a < 1:\n\treturn 0\n\n\nclass A:\n    x  = 1\n```",
    '```html\n<html>\n  <body class="x">&copy; <b>x</b></body>\n</html>\n```',
    "Use the `<br>` tag, and escape & as `&amp;`.",
    "if (a<b && c>d) { x(); }",
    "- one\n  - two\n    - three\n",
    "| a  | b   |\n|----|-----|",
    "    indented code\n  opens this text",
    "E\u0301t\u00e9\u00a0: 10\u202f%",
)


def test_normalize_leaves_code_and_markup_in_answers_as_they_are(apply: Any) -> None:
    made = apply(Normalize(), {"text": ["plain"], "completion": ["plain"]})
    assert changed(made) == {}

    made = apply(Normalize(), {"completion": list(ANSWERS)})

    plain = [answer.replace("E\u0301", "\u00c9").rstrip("\n") for answer in ANSWERS]
    assert [row["completion"] for row in made.rows()] == plain


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("one \n\ttwo \t\n\u3000", "one\n\ttwo"),
        ("\n \n  one\n\n \n\t\n\n\ntwo\n\n", "  one\n\n\ntwo"),
        ("one\r\ntwo\rthree\u2028four\x85five\x0csix", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("so\u00adft\x00 e\u0301\x7f", "soft \u00e9"),
        (" ", ""),
        ("", ""),
    ],
)
def test_normalize_changes_by_default_what_shows_in_no_answer(apply: Any, raw: str, plain: str) -> None:
    made = apply(Normalize(), {"text": [raw]})

    assert [row["text"] for row in made.rows()] == [plain]


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("Roses are red,  \nviolets are blue.  ", "Roses are red,  \nviolets are blue."),
        ("one     \r\n\ttwo \u00a0  \nthree\t\nfour \nfive", "one  \n\ttwo  \nthree\nfour\nfive"),
        ("- a  \n  b  \n\n- c  \n   \nd", "- a  \n  b\n\n- c\n\nd"),
        ("   \none", "one"),
        ("a  \n```py  \nx = 1  \ny\n```  \nb  \nc", "a  \n```py\nx = 1\ny\n```\nb  \nc"),
        ("> ~~~~\n> x  \n> ~~~  \n> y  \n> ~~~~\nb  \nc", "> ~~~~\n> x\n> ~~~\n> y\n> ~~~~\nb  \nc"),
        ("1. ```\n   x  \n   y\n   ```\nb  \nc", "1. ```\n   x\n   y\n   ```\nb  \nc"),
        ("```inline``` code  \nb", "```inline``` code  \nb"),
    ],
)
def test_normalize_keeps_where_markdown_breaks_a_line(apply: Any, raw: str, plain: str) -> None:
    made = apply(Normalize(), {"text": [raw, plain]})

    assert [row["text"] for row in made.rows()] == [plain, plain]
    assert set(changed(made)) == ({"r0"} if raw != plain else set())


def test_markup_and_white_space_are_chosen_apart(apply: Any) -> None:
    raw = "<p>one  two</p>  &lt;\n\tthree"

    stripped = apply(Normalize(markup=True), {"text": [raw]})
    folded = apply(Normalize(spaces=True), {"text": [raw]})

    assert [row["text"] for row in stripped.rows()] == ["one  two\n  <\n\tthree"]
    assert [row["text"] for row in folded.rows()] == ["<p>one two</p> &lt;\nthree"]


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("so\u00adft", "soft"),
        ("\u202eabc\u202c \u2066x\u2069", "abc x"),
        ("\x80\x9fa\x85b", "a\nb"),
        ("a\u200db \u200c", "a\u200db \u200c"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0067\U000e0062\U000e007f"),
        ("hi\U000e0041\U000e0042!", "hi!"),
        ("\ufeffa\u2028b\vc", "a\nb\nc"),
    ],
)
def test_normalize_drops_what_no_reader_sees(apply: Any, raw: str, plain: str) -> None:
    made = apply(Normalize(spaces=True), {"text": [raw]})

    assert [row["text"] for row in made.rows()] == [plain]


def test_normalize_names_what_it_changed(apply: Any) -> None:
    texts = ["plain", "<b>x</b>  &amp; y", "e\u0301\u200b", "a\r\nb"]

    made = apply(Normalize(markup=True, spaces=True), {"text": texts})

    assert changed(made) == {
        "r1": ("normalized", "markup, entities, white space"),
        "r2": ("normalized", "composition, invisible characters"),
        "r3": ("normalized", "line ends"),
    }


def test_mojibake_is_repaired_where_it_is_sure(apply: Any) -> None:
    texts = ["cafÃ© â€œquotedâ€\x9d", "caf\u00e9", "plain", None, "Ã bientôt"]

    made = apply(Mojibake(), {"text": texts})

    assert [row["text"] for row in made.rows()][:4] == ["café \u201cquoted\u201d", "café", "plain", None]
    assert changed(made)["r0"] == ("mojibake", "")
    assert {"r1", "r2", "r3"}.isdisjoint(changed(made))


WEB = """Home | News | Sport | Contact
Skip to content
The river rose by two metres in one night, and the market was closed.
We use cookies to improve your experience.
A heading without an end mark
Please enable JavaScript to view this page.
He ate two cookies and read the news.
Copyright 2024 Example Ltd. All rights reserved.
Subscribe to our newsletter"""


def test_boilerplate_takes_out_lines_that_every_page_has(apply: Any) -> None:
    made = apply(Boilerplate(), {"text": [WEB, "Nothing to see.", "Share on Facebook\nNext"]})

    assert [row["text"] for row in made.rows()] == [
        "The river rose by two metres in one night, and the market was closed.\n"
        "A heading without an end mark\nHe ate two cookies and read the news.",
        "Nothing to see.",
    ]
    assert changed(made) == {"r0": ("boilerplate", "lines: 1 cookies, 1 javascript, 3 navigation, 1 rights")}
    assert removed(made) == {"r2": ("boilerplate", "lines: 2 navigation")}
    assert next(made.removed())["text"] == "Share on Facebook\nNext"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("This is a line.", None),
        ('He said "yes, of course"', None),
        ("It ends openly...", "no end mark"),
        ("A line without one", "no end mark"),
        ("Two words.", "few words"),
        ("Please switch JavaScript on.", "javascript"),
        ("Read our Privacy Policy now.", "policy"),
        ("x" * 1001 + " and more words.", "long word"),
    ],
)
def test_c4_judges_lines_by_its_rules(line: str, why: str | None) -> None:
    assert c4(line) == why


def test_c4_takes_out_citations_and_says_so(apply: Any) -> None:
    made = apply(Boilerplate(rules=["c4"]), {"text": ["It was founded in 1890.[2][citation needed]\n\nSee also"]})

    assert [row["text"] for row in made.rows()] == ["It was founded in 1890."]
    assert changed(made) == {"r0": ("boilerplate", "lines: 1 no end mark")}
    assert changed(apply(Boilerplate(rules=["c4"]), {"text": ["It is old.[1]"]})) == {
        "r0": ("boilerplate", "citations")
    }


def test_boilerplate_leaves_other_columns_alone(apply: Any) -> None:
    made = apply(Boilerplate(), {"prompt": ["Home"], "completion": ["Search"]})

    assert (made.num_rows, changed(made)) == (1, {})


def test_normalize_counts_the_rows_that_it_changed(apply: Any) -> None:
    made = apply(Normalize(), {"prompt": ["a", "b ", "c"], "completion": ["x", "y\n", "z z"]})

    assert json.loads((made.path / "statistics.json").read_text())["changed"] == {"normalized": 1}


@pytest.mark.parametrize("spaces", [False, True])
@pytest.mark.parametrize("unit", ["<", "<!--", "<a ", "<p", "<script>", "&a", " \n", "</", "<p <p>", " ", "\n", "\t x"])
def test_normalize_takes_linear_time_on_hostile_text(apply: Any, unit: str, spaces: bool) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit)) + "x"
        start = time.process_time()
        apply(Normalize(markup=True, spaces=spaces), {"text": [text]})
        return time.process_time() - start

    # Quadratic time would quadruple; the constant covers what is too short to measure.
    assert seconds(1_000_000) < 3 * seconds(500_000) + 0.2


def test_toxicity_removes_insults_and_names_them(apply: Any) -> None:
    rows = {"prompt": ["hi", "hi"], "completion": ["You idiot, you moron, you idiot.", "hello"]}

    assert removed(apply(Toxicity(), rows)) == {"r0": ("toxicity", "idiot, moron")}
    assert removed(apply(Toxicity(max_terms=3), rows)) == {}
    assert removed(apply(Toxicity(level="strong"), rows)) == {}
    assert removed(apply(Toxicity(words=["hello"]), rows)).keys() == {"r0", "r1"}


def test_language_id_names_the_language_and_removes_others(apply: Any) -> None:
    rows = {
        "text": [
            "The library opens at nine, and it closes at five.",
            "Die Antwort steht in dem Buch auf dem Tisch.",
            "zzz",
        ]
    }

    kept = apply(LanguageId(), rows)
    english = apply(LanguageId(languages=["en"], min_confidence=0.1, column=""), rows)

    assert [row["language"] for row in kept.rows()][:2] == ["en", "de"]
    assert removed(english).keys() == {"r1", "r2"}
    assert re.fullmatch(r"reads as de, confidence [01]\.\d\d", removed(english)["r1"][1])


@pytest.mark.parametrize(
    ("code", "hint"), [("english", "; did you mean 'en'?"), ("Chinesse", "; did you mean 'zh'?"), ("x", "")]
)
def test_language_id_names_a_code_that_is_none_before_anything_runs(
    project: TrialProject, code: str, hint: str
) -> None:
    project.jsonl("texts.jsonl", [{"text": "a"}])
    chain = f'[{{ use = "language-id", languages = ["de", "{code}"] }}]'
    project.write(f'[data.texts]\nuse = "jsonl"\npath = "texts.jsonl"\nsteps = {chain}')

    assert project.mlm("plan").error == (
        f"Error: no language has the code '{code}', expected ISO 639 codes such as en, de or zh{hint}"
        "  [mlm.toml, data.texts.steps[0]]"
    )


@pytest.fixture
def classifier(store: Any, tmp_path: Path) -> mlm.Model:
    """A classifier that has learnt to tell greetings from farewells."""
    (tmp_path / "model").mkdir()
    context = mlm.Context(folder=tmp_path / "model", work=tmp_path, project=tmp_path, problem=PROBLEM)
    rows = {"text": ["hello there", "good morning", "hello you", "goodbye", "see you later", "bye bye"] * 5}
    data = store(rows | {"label": (["greeting"] * 3 + ["farewell"] * 3) * 5})
    return evolve(TextClassifier(bits=12).mlm_train(data, context), ref="manners@1")


def test_a_classifier_finds_what_the_lexicon_lacks(apply: Any, classifier: mlm.Model) -> None:
    toxicity = Toxicity(model=classifier, toxic=["farewell"], threshold=0.8, column="toxicity")

    made = apply(
        toxicity, {"text": ["hello, good morning", "goodbye, see you later", "you idiot, goodbye", "hello moron"]}
    )

    reasons = removed(made)
    assert reasons.keys() == {"r1", "r2", "r3"}
    assert re.fullmatch(r"score 0\.9\d\d by manners@1", reasons["r1"][1])
    assert re.fullmatch(r"idiot; score 0\.[89]\d\d by manners@1", reasons["r2"][1])
    assert reasons["r3"] == ("toxicity", "moron")
    assert [row["toxicity"] < 0.2 for row in made.rows()] == [True]


def test_a_classifier_is_asked_for_labels_that_it_has(apply: Any, classifier: mlm.Model) -> None:
    with pytest.raises(mlm.ProjectError, match=r"no label 'toxic' \(labels: farewell, greeting\)  \[clean\]"):
        apply(Toxicity(model=classifier), {"text": ["a"]})


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
    ("rules", "text", "fired"),
    [
        (["instruction"], "- - - * * * ! ! ! ?", "instruction.min_alphanumeric_words 0 < 0.24; score 0.00"),
        (["instruction"], "x", "instruction.min_chars 1 < 3; score 0.33"),
        (["instruction"], "x" * 66, "instruction.max_mean_word_length 66 > 33; score 0.50"),
        (["instruction"], "wait... no... and... a b c", "instruction.max_ellipsis_ratio 0.5 > 0.34; score 0.68"),
        (["c4"], "One. Two. Three. Four.", "c4.min_sentences 4 < 5; score 0.80"),
        (["c4"], "function() { Yes. No. Yes. No. Yes.", "c4.max_curly_brackets 1 > 0; score 0.00"),
        (["c4"], "Lorem ipsum dolor. Sit. Amet. Et. Cetera.", "c4.max_lorem_ipsum 1 > 0; score 0.00"),
        (["fineweb"], "a list of words that goes on and on and on", "fineweb.min_terminal_lines 0 < 0.12; score 0.00"),
    ],
)  # fmt: skip
def test_quality_names_the_rules_that_fired(apply: Any, rules: list[str], text: str, fired: str) -> None:
    assert removed(apply(Quality(rules=rules), {"text": [text]})) == {"r0": (fired.split(maxsplit=1)[0], fired)}


def test_quality_names_every_rule_that_fired_the_worst_first(apply: Any) -> None:
    ((reason, detail),) = removed(apply(Quality(rules=["gopher"]), {"text": ["buy this now " * 30]})).values()

    assert reason == "gopher.min_stop_words"
    assert detail.startswith("gopher.min_stop_words 0 < 2; gopher.max_duplicate_10gram_chars 1 > 0.1; ")
    assert detail.endswith("; score 0.00")


@pytest.mark.parametrize(
    "text", ["Yes.", "7 + 3 = 10", "Wait...", "The capital of Velmara is Dunmere.", "#1", "¿Qué es esto?", "- a\n- b"]
)
def test_short_plain_answers_score_well(apply: Any, text: str) -> None:
    rows = {"prompt": ["Hm?"], "completion": [text]}

    assert [row["quality"] for row in apply(Quality(), rows).rows()] == [1.0]


def test_quality_scores_stay_with_the_rows(apply: Any) -> None:
    texts = ["A good sentence.", "x" * 66]

    assert [row["quality"] for row in apply(Quality(min_score=0.4), {"text": texts}).rows()] == [1.0, 0.5]
    assert "quality" not in next(apply(Quality(column=""), {"text": texts}).rows())


def test_quality_takes_other_limits_than_the_published(apply: Any) -> None:
    loose = Quality(rules=["c4"], limits={"c4": {"min_sentences": 1}})

    assert removed(apply(loose, {"text": ["One. Two."]})) == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rules": ["goffer"]}, "goffer"),
        ({"rules": []}, "rules"),
        ({"limits": {"gopher": {"min_words": 1}}}, "no rule 'min_words'.*`rules` has no 'gopher'"),
        ({"rules": ["c4"], "limits": {"c4": {"min_words": 1}}}, "no rule 'min_words'.*known: min_sentences"),
    ],
)
def test_quality_refuses_rules_that_it_does_not_know(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Quality(**settings)


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
