"""Evaluators that compare answers with references, against the libraries that define the numbers."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from scipy.stats import binomtest

import mlm
from mlm_plugins.detectors.templates import has_chat_template
from mlm_plugins.evaluators.bleu import Bleu
from mlm_plugins.evaluators.exact_match import ExactMatch
from mlm_plugins.evaluators.perturbations import PERTURBATIONS
from mlm_plugins.evaluators.robustness import Robustness
from mlm_plugins.evaluators.rouge import Rouge

WORDS = [
    "the",
    "capital",
    "of",
    "a",
    "small",
    "country",
    "lies",
    "on",
    "its",
    "longest",
    "river",
    "near",
    "old",
    "hills",
]


def sentences(count: int, changed: float) -> list[dict[str, str]]:
    random = Random(1)
    rows = []
    for number in range(count):
        words = random.choices(WORDS, k=12)
        heard = [random.choice(WORDS) if random.random() < changed else word for word in words]
        rows.append({"prompt": f"q{number}", "completion": " ".join(words), "heard": " ".join(heard)})
    return rows


def answers(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["prompt"]: row["heard"] for row in rows}


def test_exact_match_ignores_case_and_white_space_and_nothing_else(bench: Any) -> None:
    rows = [{"prompt": p, "completion": "The  river Sarn."} for p in "abcd"]
    model = bench.model("m", {"a": " the river\nsarn. ", "b": "The river Sarn", "c": "", "d": "The River SARN."})

    report = bench.run(ExactMatch(), model, bench.data(rows))

    assert report.measures[0].value == 0.5
    assert [example.score for example in report.examples] == [1, 0, 0, 1]


def test_exact_match_has_the_wilson_interval_that_scipy_computes(bench: Any) -> None:
    rows = [{"prompt": f"p{i}", "completion": "yes"} for i in range(40)]
    model = bench.model("m", lambda prompt: "yes" if int(prompt[1:]) < 37 else "no")

    measure = bench.run(ExactMatch(), model, bench.data(rows)).measures[0]

    expected = binomtest(37, 40).proportion_ci(0.95, method="wilson")
    assert (measure.low, measure.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_exact_match_is_also_given_for_each_label(bench: Any) -> None:
    rows = [{"prompt": p, "completion": p, "label": label} for p, label in zip("abcd", "xxyy", strict=True)]

    report = bench.run(ExactMatch(), bench.model("m", {"a": "a", "c": "c", "d": "d"}), bench.data(rows))

    assert {label: m["value"] for label, m in report.details["by_label"].items()} == {"x": 0.5, "y": 1.0}


def test_the_chosen_answer_is_the_expected_one_in_preference_data(bench: Any) -> None:
    rows = [{"prompt": "a", "chosen": "good", "rejected": "bad"}]

    assert bench.run(ExactMatch(), bench.model("m", {"a": "good"}), bench.data(rows)).measures[0].value == 1.0


def test_an_empty_completion_is_an_answer_too(bench: Any) -> None:
    rows = [{"prompt": "a", "completion": ""}]

    assert bench.run(ExactMatch(), bench.model("m", {}), bench.data(rows)).measures[0].value == 1.0


def test_a_dataset_without_completions_is_refused_by_name(bench: Any) -> None:
    data = bench.data([{"text": "no questions here"}])

    with pytest.raises(mlm.DataError, match=r"row r0 of data lacks messages, or prompt and completion"):
        bench.run(ExactMatch(), bench.model("m", {}), data)


def test_prompts_go_through_the_chat_template_where_there_is_one(bench: Any) -> None:
    rows = bench.data([{"prompt": "hi", "completion": "x"}])
    bench.run(ExactMatch(), bench.model("chat", {}), rows)
    bench.run(ExactMatch(), bench.model("plain", {}, chat=False), rows)

    assert bench.engines["chat"].prompts == [[1, ord("h"), ord("i"), 3, 2]]
    assert bench.engines["plain"].prompts == [[0, ord("h"), ord("i")]]


def test_a_chat_template_may_live_in_the_tokenizer_settings(tmp_path: Any) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')

    assert has_chat_template(tmp_path)


def test_bleu_is_what_sacrebleu_says(bench: Any) -> None:
    from sacrebleu.metrics.bleu import BLEU

    rows = sentences(60, 0.2)
    report = bench.run(Bleu(), bench.model("m", answers(rows)), bench.data(rows))

    metric = BLEU()
    heard, meant = [row["heard"] for row in rows], [row["completion"] for row in rows]
    expected = metric.corpus_score(heard, [meant], n_bootstrap=1000)
    measure = report.measures[0]
    assert measure.value == pytest.approx(expected.score, abs=1e-9)
    assert report.details["signature"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    # Two bootstraps of 1000 with other seeds: half widths agree to about 10 %.
    assert (measure.high - measure.low) / 2 == pytest.approx(expected._ci, rel=0.15)
    assert measure.low < measure.value < measure.high


def test_bleu_of_one_row_is_uncertain_and_of_few_is_less_certain_than_resampling_says(bench: Any) -> None:
    from sacrebleu.metrics.bleu import BLEU

    rows = sentences(6, 0.2)
    few = bench.run(Bleu(), bench.model("m", answers(rows)), bench.data(rows)).measures[0]
    one = bench.run(Bleu(), bench.model("one", answers(rows)), bench.data(rows[:1])).measures[0]

    heard, meant = [row["heard"] for row in rows], [row["completion"] for row in rows]
    expected = BLEU().corpus_score(heard, [meant], n_bootstrap=1000)
    # A bootstrap of n is too narrow by sqrt((n - 1) / n), and by what t is wider than the normal: 1.4 for 6 rows.
    assert (few.high - few.low) / 2 > 1.2 * expected._ci
    assert (one.low, one.high) == (0, 100)


def test_perfect_bleu_of_few_rows_is_not_certain(bench: Any) -> None:
    rows = sentences(20, 0.0)
    measure = bench.run(Bleu(), bench.model("m", answers(rows)), bench.data(rows)).measures[0]

    assert measure.value == pytest.approx(100)
    assert measure.low < 90


def test_rouge_is_what_rouge_score_says(bench: Any) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    rows = sentences(30, 0.3)
    measure = bench.run(Rouge(), bench.model("m", answers(rows)), bench.data(rows)).measures[0]

    scorer = RougeScorer(["rougeL"])
    scores = [scorer.score(row["completion"], row["heard"])["rougeL"].fmeasure for row in rows]
    assert measure.value == pytest.approx(sum(scores) / len(scores))
    assert measure.low < measure.value < measure.high


def test_rouge_reads_other_scripts_than_latin(bench: Any) -> None:
    rows = [{"prompt": p, "completion": "Столица страны стоит на реке"} for p in "abc"]

    measure = bench.run(Rouge(), bench.model("m", lambda _: "столица страны стоит на реке"), bench.data(rows)).measures[
        0
    ]

    assert measure.value == 1.0
    assert measure.low < 0.6


def test_a_model_that_reads_past_small_changes_is_robust(bench: Any) -> None:
    rows = [{"prompt": f"Name the river of province {'abcdefgh'[i] * 5}", "completion": "Sarn"} for i in range(8)]

    report = bench.run(Robustness(), bench.model("m", lambda _: "Sarn"), bench.data(rows))

    measure = report.measures[0]
    assert (measure.value, measure.n, measure.coverage) == (1.0, 8, 1.0)
    assert measure.low == pytest.approx(binomtest(8, 8).proportion_ci(0.95, method="wilson").low)
    assert set(report.details["by_perturbation"]) == set(PERTURBATIONS)


def test_a_model_that_knows_each_letter_by_heart_is_not_robust(bench: Any) -> None:
    rows = [{"prompt": f"Name the river of province {i}", "completion": "Sarn"} for i in range(8)]
    known = {row["prompt"]: "Sarn" for row in rows[:6]}

    measure = bench.run(Robustness(), bench.model("m", known), bench.data(rows)).measures[0]

    assert (measure.value, measure.n, measure.coverage) == (0.0, 6, 0.75)


def test_robustness_of_a_model_that_is_never_right_is_unknown(bench: Any) -> None:
    rows = [{"prompt": "a", "completion": "b"}]

    measure = bench.run(Robustness(), bench.model("m", {}), bench.data(rows)).measures[0]

    assert (measure.value, measure.n) == (None, 0)


def said(*turns: str) -> list[dict[str, str]]:
    """Return messages: user and assistant by turns, the user first."""
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(turns)]


def test_of_a_conversation_the_last_answer_is_right_and_all_before_it_is_asked(bench: Any) -> None:
    rows = [{"messages": said("a", "b", "c", "d")}, {"messages": said("a", "no", "and?")}, {"messages": said("a", "b")}]

    report = bench.run(ExactMatch(), bench.model("m", {"abc": "d", "a": "b"}), bench.data(rows))

    assert [example.score for example in report.examples] == [1.0, 0.0, 1.0]
    assert [example.expected for example in report.examples] == ["d", "no", "b"]
    assert [example.prompt for example in report.examples] == ["user: a\nassistant: b\nuser: c", "a", "a"]


def test_a_prompt_of_messages_is_asked_whole(bench: Any) -> None:
    prompt = [{"role": "system", "content": "be "}, {"role": "user", "content": "brief"}]
    rows = [{"prompt": prompt, "completion": [{"role": "assistant", "content": "yes"}]}]

    assert bench.run(ExactMatch(), bench.model("m", {"be brief": "yes"}), bench.data(rows)).measures[0].value == 1.0


CALL = {"function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"messages": said("hello")}, "row r0 of data lacks an answer to compare with; it has"),
        ({"messages": said("hello")[:0]}, "row r0 of data asks nothing: no message stands before the answer"),
        ({"messages": said("a", "b")[1:]}, "row r0 of data asks nothing: no message stands before the answer"),
        ({"messages": said("a", "b"), "tools": "[{}]"}, "row r0 of data offers tools, which evaluators do not tell"),
        (
            {"messages": [*said("a"), {"role": "assistant", "content": None, "tool_calls": [CALL]}]},
            "row r0 of data ends with a tool call and no text",
        ),
        ({"messages": [{"role": None, "content": "a"}]}, "row r0 of data has no role in message 1 of 'messages'"),
    ],
)
def test_a_conversation_without_a_right_answer_is_refused(bench: Any, row: dict[str, Any], message: str) -> None:
    with pytest.raises(mlm.DataError) as error:
        bench.run(ExactMatch(), bench.model("m", {}), bench.data([row]))

    assert str(error.value).startswith(message)


def test_a_model_without_a_chat_template_is_asked_no_conversation(bench: Any) -> None:
    model = bench.model("m", {"a": "b"}, chat=False)

    assert bench.run(ExactMatch(), model, bench.data([{"messages": said("a", "b")}])).measures[0].value == 1.0
    with pytest.raises(mlm.DataError, match="row r0 holds a conversation of 3 messages, and m has no chat template"):
        bench.run(ExactMatch(), model, bench.data([{"messages": said("a", "b", "c", "d")}]))


def test_a_perturbation_changes_what_was_said_last(bench: Any) -> None:
    seen: list[str] = []

    def answer(prompt: str) -> str:
        seen.append(prompt)
        return "right"

    bench.run(Robustness(), bench.model("m", answer), bench.data([{"messages": said("One", "two", "Four", "right")}]))

    assert len(set(seen)) > 1
    assert all(prompt.startswith("Onetwo") for prompt in seen)
