"""What evaluators make of prompts that do not fit the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm_plugins.evaluators.bleu import Bleu
from mlm_plugins.evaluators.exact_match import ExactMatch
from mlm_plugins.evaluators.hallucination import Hallucination
from mlm_plugins.evaluators.parity import Parity
from mlm_plugins.evaluators.performance import Performance
from mlm_plugins.evaluators.refusal import Refusal
from mlm_plugins.evaluators.robustness import Robustness
from mlm_plugins.evaluators.rouge import Rouge
from mlm_plugins.evaluators.toxicity import AnswerToxicity

SHORT = "What is the capital of Velmara?"
LONG = SHORT * 20
NO = "I am sorry, but I will not help with that."
REASON = f"the prompt has {len(LONG) + 3} tokens; the model takes 1 to 199"


def asked(bench: Any, plugin: Any, answer: str = "It is Dorrit.", **columns: list[str]) -> mlm.Report:
    """Evaluate a model that gives one answer to one prompt that it takes and one that it does not."""
    rows = [{"prompt": prompt, "completion": "It is Dorrit."} for prompt in (SHORT, LONG)]
    rows = [row | {name: values[n] for name, values in columns.items()} for n, row in enumerate(rows)]
    report: mlm.Report = bench.run(plugin, bench.model("m", lambda _: answer), bench.data(rows))
    return report


@pytest.mark.parametrize("plugin", [ExactMatch(), Rouge()])
def test_a_prompt_without_an_answer_counts_as_wrong(bench: Any, plugin: Any) -> None:
    report = asked(bench, plugin)

    assert [(m.value, m.n, m.coverage) for m in report.measures] == [(0.5, 2, None)]
    assert [example.score for example in report.examples] == [1.0, 0.0]


def test_a_prompt_without_an_answer_makes_bleu_smaller(bench: Any) -> None:
    # Four of eight tokens are there, all of them right: the brevity penalty is exp(1 - 8 / 4).
    assert asked(bench, Bleu()).measures[0].value == pytest.approx(100 * 2.718281828459045**-1)


def test_no_answer_is_never_the_right_one(bench: Any) -> None:
    rows = [{"prompt": LONG, "completion": ""}]

    assert bench.run(ExactMatch(), bench.model("m", {}), bench.data(rows)).measures[0].value == 0


def test_no_answer_is_no_refusal_of_danger_and_no_help_with_the_harmless(bench: Any) -> None:
    dangerous, harmless = (
        asked(bench, Refusal(), NO, label=["dangerous", "dangerous"]).measures[0],
        bench.run(
            Refusal(),
            bench.model("kind", lambda _: "Sure."),
            bench.data([{"prompt": prompt, "label": "harmless"} for prompt in (SHORT, LONG)]),
        ).measures[1],
    )

    assert (dangerous.value, dangerous.n) == (0.5, 2)
    assert (harmless.value, harmless.n) == (0.5, 2)


@pytest.mark.parametrize(("answer", "value"), [("It is Dorrit.", 0.0), ("It is Ivelle, you idiot.", 1.0)])
@pytest.mark.parametrize("of", [lambda facts: AnswerToxicity(), lambda facts: Hallucination(facts=facts)])
def test_what_judges_an_answer_leaves_out_a_prompt_that_has_none_and_says_so_in_its_coverage(
    bench: Any, tmp_path: Path, of: Callable[[Path], Any], answer: str, value: float
) -> None:
    facts = [{"subject": "Velmara", "attribute": "capital", "value": "Dorrit"}]
    facts += [{"subject": "Orduin", "attribute": "capital", "value": "Ivelle"}]
    (tmp_path / "facts.jsonl").write_text("\n".join(map(json.dumps, facts)))

    measure = asked(bench, of(tmp_path / "facts.jsonl"), answer).measures[0]

    assert (measure.value, measure.n, measure.coverage) == (value, 1, 0.5)


def test_two_models_that_do_not_answer_do_not_agree(bench: Any) -> None:
    reference = bench.model("old", lambda _: "It is Dorrit.")

    agreement, drop = asked(bench, Parity(reference=reference)).measures

    assert (agreement.value, agreement.n, drop.value) == (0.5, 2, 0.0)


def test_a_perturbed_prompt_that_does_not_fit_is_not_kept(bench: Any) -> None:
    measure = asked(bench, Robustness()).measures[0]

    assert (measure.value, measure.n, measure.coverage) == (1.0, 1, 0.5)


def test_performance_times_the_prompts_that_fit(bench: Any) -> None:
    report = asked(bench, Performance(requests=4, rounds=2, batch_size=2))

    assert {len(prompt) for prompt in bench.engines["m"].prompts} == {len(SHORT) + 3}
    assert all("1 of 2 prompts are not answered" in m.note for m in report.measures)


def test_performance_without_a_prompt_that_fits_says_so(bench: Any) -> None:
    with pytest.raises(mlm.DataError, match=f"no prompt of data can be timed; of row r0 {REASON}"):
        bench.run(Performance(), bench.model("m", {}), bench.data([{"prompt": LONG}]))


def test_a_report_counts_the_prompts_without_an_answer_and_names_their_rows(bench: Any) -> None:
    report = asked(bench, ExactMatch())

    assert report.measures[0].note == "1 of 2 prompts are not answered: the model does not take them"
    assert report.details["unanswered"] == [{"row_id": "r1", "reason": REASON}]
    assert report.examples[1].answer == f"[not answered: {REASON}]"


def test_a_row_that_the_chat_template_refuses_is_named(bench: Any) -> None:
    model = bench.model("m", {})

    def refuse(messages: Any) -> list[int]:
        raise mlm.DataError("the model's chat template refuses the conversation: no system role")

    bench.engines["m"].tokenizer.chat = refuse
    with pytest.raises(mlm.DataError, match="row r0: the model's chat template refuses the conversation: no system"):
        bench.run(ExactMatch(), model, bench.data([{"prompt": "a", "completion": "b"}]))
