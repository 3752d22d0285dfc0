"""Evaluators of refusals, toxicity, truth, parity, perplexity and speed."""

from __future__ import annotations

import json
from math import exp, inf, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import mlm
from mlm.requirements import Requirement
from mlm_plugins.evaluators.hallucination import Hallucination
from mlm_plugins.evaluators.intervals import bounded, paired_difference, resampled
from mlm_plugins.evaluators.parity import Parity
from mlm_plugins.evaluators.performance import Performance, resident_bytes
from mlm_plugins.evaluators.perplexity import Perplexity
from mlm_plugins.evaluators.refusal import Refusal
from mlm_plugins.evaluators.toxicity import AnswerToxicity

NO = "I am sorry, but I will not help with that."


def facts_file(folder: Path) -> Path:
    facts = [("Velmara", "capital", "Dorrit"), ("Orduin", "capital", "Ivelle"), ("Velmara", "river", "Sarn")]
    lines = [json.dumps({"subject": s, "attribute": a, "value": v}) for s, a, v in facts]
    (folder / "facts.jsonl").write_text("\n".join(lines))
    return folder / "facts.jsonl"


def test_refusals_are_counted_apart_for_danger_and_harmless_wishes(bench: Any) -> None:
    rows = [{"prompt": p, "label": "dangerous"} for p in "abcd"] + [{"prompt": p, "label": "harmless"} for p in "ef"]
    rows += [{"prompt": "g", "label": "fact"}]
    model = bench.model("m", {"a": NO, "b": NO, "c": NO, "d": "Sure. Do it.", "e": NO, "f": "Sure."})

    report = bench.run(Refusal(), model, bench.data(rows))

    assert [(m.value, m.n) for m in report.measures] == [(0.75, 4), (0.5, 2)]
    assert report.details["unlabelled"] == 1
    assert [example.score for example in report.examples] == [1, 1, 1, 0, 0, 1]


def test_refusal_without_any_label_says_which_labels_there_are(bench: Any) -> None:
    with pytest.raises(mlm.DataError, match=r"labelled dangerous or harmless \(found: no label, unsafe\)"):
        bench.run(
            Refusal(),
            bench.model("m", {}),
            bench.data([{"prompt": "a", "label": "unsafe"}, {"prompt": "b", "label": None}]),
        )


def test_toxic_answers_are_counted(bench: Any) -> None:
    model = bench.model("m", {"a": "You are an idiot.", "b": "You are kind."})

    measure = bench.run(AnswerToxicity(), model, bench.data([{"prompt": p} for p in "ab"])).measures[0]

    assert (measure.value, measure.n) == (0.5, 2)


def test_only_checkable_answers_are_in_the_hallucination_rate(bench: Any, tmp_path: Path) -> None:
    rows = [{"prompt": f"What is the capital of {who}? {n}"} for n, who in enumerate(["Velmara"] * 5 + ["Nowhere"])]
    said = ["It is Dorrit.", "The capital is Ivelle.", NO, "kmp kmp", "Dorrit, or is it Ivelle?", "Dorrit"]
    model = bench.model("m", {row["prompt"]: text for row, text in zip(rows, said, strict=True)})

    report = bench.run(Hallucination(facts=facts_file(tmp_path)), model, bench.data(rows))

    measure = report.measures[0]
    assert (measure.value, measure.n, measure.coverage) == (pytest.approx(2 / 3), 3, 0.6)
    assert report.details["verdicts"] == {"right": 1, "wrong": 2, "unchecked": 2, "uncovered": 1}
    assert report.details["wrong"][0]["known"] == "dorrit"


def test_parity_counts_equal_answers_and_lost_ones(bench: Any) -> None:
    rows = [{"prompt": p, "completion": "yes"} for p in "abcde"]
    reference = bench.model("old", {"a": "yes", "b": "yes", "c": "yes", "d": "no", "e": "no"})
    model = bench.model("new", {"a": "yes", "b": "yes", "c": "no", "d": "no", "e": "maybe"})

    agreement, drop = bench.run(Parity(reference=reference), model, bench.data(rows)).measures

    assert (agreement.value, agreement.n) == (0.6, 5)
    assert (drop.value, drop.n) == (pytest.approx(0.2), 5)
    assert drop.low < 0.2 < drop.high


def test_no_change_in_few_rows_is_no_proof_of_parity() -> None:
    assert paired_difference(100, 0, 0, 0)[1] == pytest.approx(0.0370, abs=1e-4)  # 1 - Wilson's lower bound of 100/100
    assert paired_difference(0, 0, 0, 100)[0] == pytest.approx(-0.0370, abs=1e-4)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4).filter(any))
def test_the_interval_of_a_paired_difference_holds_it_and_turns_with_it(counts: list[int]) -> None:
    both, first, second, neither = counts
    low, high = paired_difference(both, first, second, neither)
    value = (first - second) / sum(counts)

    assert -1 - 1e-9 <= low <= value <= high <= 1 + 1e-9
    assert paired_difference(both, second, first, neither) == pytest.approx((-high, -low))


@pytest.mark.parametrize("shares", [(0.90, 0.05, 0.01, 0.04), (0.6, 0.15, 0.05, 0.2), (0.96, 0.02, 0.02, 0.0)])
def test_the_interval_of_a_paired_difference_covers_the_truth_as_often_as_it_says(shares: tuple[float, ...]) -> None:
    draws = np.random.default_rng(0).multinomial(200, shares, 2000)
    truth = shares[1] - shares[2]

    hits = [low <= truth <= high for low, high in (paired_difference(*map(int, draw)) for draw in draws)]

    assert np.mean(hits) > 0.94  # 2000 draws: standard error 0.005


def test_a_bounded_mean_is_no_surer_than_a_proportion() -> None:
    from scipy.stats import binomtest

    expected = binomtest(30, 40).proportion_ci(0.95, method="wilson")

    assert bounded(75.0, 40, 100.0) == pytest.approx((100 * expected.low, 100 * expected.high))


def test_a_statistic_that_does_not_vary_has_no_interval_and_one_row_has_an_infinite_one() -> None:
    for n in (2, 20, 50):
        assert resampled(lambda rows: 1.0, n, 0) == (None, None)
    assert resampled(lambda rows: float(rows.mean()), 1, 0) == (-inf, inf)


@pytest.mark.parametrize("n", [2, 5, 29])
def test_few_rows_have_the_t_interval_where_the_statistic_is_a_mean(n: int) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)

    found = resampled(lambda rows: float(values[rows].mean()), n, 0)

    # The quantile of t is an expansion, off by less than 1 %.
    expected = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert found == pytest.approx(expected, rel=0.02)


def loss(text: str) -> float:
    return sum(ord(letter) % 5 for letter in text)


def test_perplexity_of_texts_weighs_tokens_not_rows(bench: Any) -> None:
    texts = ["a", "a much longer row of text", "the third"]

    report = bench.run(Perplexity(), bench.model("m", {}), bench.data([{"text": text} for text in texts]))

    tokens = sum(len(" " + text) for text in texts)
    assert report.measures[0].value == pytest.approx(exp(sum(loss(" " + text) for text in texts) / tokens))
    assert report.measures[0].n == 3
    assert report.details["tokens"] == tokens
    assert report.measures[0].low < report.measures[0].value < report.measures[0].high


def test_perplexity_of_completions_leaves_the_prompt_out(bench: Any) -> None:
    rows = [{"prompt": "What?", "completion": "that"}, {"prompt": "A longer question?", "completion": "this one"}]

    report = bench.run(Perplexity(), bench.model("m", {}), bench.data(rows))

    # The template writes no space before an answer, and a token of its own, 3, behind it.
    expected = (loss("that\3") + loss("this one\3")) / (len("that\3") + len("this one\3"))
    assert log(report.measures[0].value) == pytest.approx(expected)
    assert (report.measures[0].coverage, report.measures[0].note) == (1.0, "")


def test_perplexity_of_completions_without_a_chat_template_puts_the_prefix_between(bench: Any) -> None:
    rows = [{"prompt": "What?", "completion": "that"}]

    report = bench.run(Perplexity(), bench.model("m", {}, chat=False), bench.data(rows))

    assert log(report.measures[0].value) == pytest.approx(loss(" that") / len(" that"))


def test_perplexity_says_which_answers_it_scores_in_part_and_which_not_at_all(bench: Any) -> None:
    rows = [
        {"prompt": "What?", "completion": "that"},
        {"prompt": "What?", "completion": "b" * 300},
        {"prompt": "a" * 197, "completion": "c"},
        {"prompt": "a" * 198, "completion": "c"},
    ]

    report = bench.run(Perplexity(), bench.model("m", {}), bench.data(rows))

    # A prompt has three tokens of its own beside its letters, and the model takes 200.
    measure = report.measures[0]
    assert (measure.n, measure.coverage) == (2, 0.5)
    assert measure.note == "2 rows have nothing to score within 200 tokens; 1 rows are cut at 200 tokens"
    assert (report.details["unscored"], report.details["cut"]) == (["r2", "r3"], ["r1"])
    assert report.details["tokens"] == len("that\3") + 200 - len("What?") - 3


def test_a_text_longer_than_the_model_is_scored_in_pieces(bench: Any) -> None:
    text = "abcdefghij" * 60
    report = bench.run(Perplexity(prefix=""), bench.model("m", {}), bench.data([{"text": text}]))

    # 601 ids in pieces of 200: the first id of each piece has nothing before it.
    assert report.details["tokens"] == 597


@pytest.mark.parametrize("texts", [["one"], ["copied", "copied"]])
def test_perplexity_of_one_row_or_of_copies_of_it_meets_no_bound(bench: Any, texts: list[str]) -> None:
    measure = bench.run(Perplexity(), bench.model("m", {}), bench.data([{"text": text} for text in texts])).measures[0]

    assert (measure.low, measure.high) == (0, inf)
    verdict = Requirement("fluency", "perplexity", max=1e9).judge(measure.value, measure.low, measure.high)
    assert verdict.outcome == "inconclusive"


def test_perplexity_needs_something_to_read(bench: Any) -> None:
    with pytest.raises(mlm.DataError, match="row r0 of data lacks an answer to compare with"):
        bench.run(Perplexity(), bench.model("m", {}), bench.data([{"prompt": "a", "completion": None}]))


def test_performance_is_measured_on_a_fresh_engine_that_is_closed(bench: Any) -> None:
    model = bench.model("m", lambda prompt: "x" * 10)
    (model.path / "model.safetensors").write_bytes(b"0" * 4096)

    report = bench.run(Performance(requests=20, rounds=4), model, bench.data([{"prompt": p} for p in "abc"]))

    values = {m.metric: m for m in report.measures}
    assert bench.fresh == ["m"]
    assert bench.engines["m"].closed
    assert len(bench.engines["m"].prompts) == 1 + 20 + 4 * 8
    assert 0 < values["latency_p50_seconds"].value <= values["latency_p95_seconds"].value
    assert values["latency_p50_seconds"].n == 20
    assert values["tokens_per_second"].value > 1000
    assert values["memory_bytes"].value >= 4096
    # At 3600 USD an hour a CPU second costs 1 USD; 80 tokens of a scripted engine take far less than one.
    assert 0 <= values["cost_per_1k_tokens_usd"].value < 1000 / 80


def test_speed_and_cost_are_never_below_nothing(bench: Any) -> None:
    # Answers of one token and of sixty: three rounds of them differ so much that Student's interval would pass 0.
    model = bench.model("m", lambda prompt: "x" if prompt == "a" else "x" * 60)
    plugin = Performance(requests=2, rounds=3, batch_size=1)

    report = bench.run(plugin, model, bench.data([{"prompt": p} for p in "aab"]))

    found = {m.metric: m for m in report.measures}
    assert found["tokens_per_second"].low >= 0
    assert found["cost_per_1k_tokens_usd"].low >= 0


def test_performance_times_enough_for_its_intervals(bench: Any) -> None:
    report = bench.run(Performance(), bench.model("m", {"a": "b"}), bench.data([{"prompt": "a"}]))

    # The bootstrap interval of 5 batches held the mean in 72 % of runs, not in 95 %.
    found = {m.metric: m.n for m in report.measures}
    assert (found["latency_p50_seconds"], found["tokens_per_second"]) == (100, 20)


def test_the_engine_is_closed_when_it_breaks(bench: Any) -> None:
    def broken(prompt: str) -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        bench.run(Performance(), bench.model("m", broken), bench.data([{"prompt": "a"}]))
    assert bench.engines["m"].closed


def test_resident_memory_grows_with_what_is_held() -> None:
    before = resident_bytes()
    held = bytearray(64 << 20)
    held[::4096] = b"1" * len(held[::4096])

    assert resident_bytes() - before > 48 << 20
