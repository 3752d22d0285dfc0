"""What monitors measure of a window of exchanges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

import mlm
from mlm_plugins.monitors.drift import PromptDrift, divergence
from mlm_plugins.monitors.hallucination import HallucinationRate
from mlm_plugins.monitors.traffic import Traffic
from mlm_registry import Exchange, Feedback

OLD = [f"What is the {what} of province {n}?" for n in range(40) for what in ("capital", "river", "flag")]
NEW = [f"Tell me how an island {n} celebrates its harvest" for n in range(60)]


def exchange(number: int, **values: Any) -> Exchange:
    given: dict[str, Any] = {"prompt": "p", "response": "Yes.", "latency_seconds": 0.1, **values}
    return Exchange(f"x{number}", "api", 1, 7, "/v1/chat/completions", float(number), {}, **given)


def window(*exchanges: Exchange, feedback: dict[str, Feedback] | None = None) -> mlm.Window:
    return mlm.Window("api", exchanges, feedback or {}, node=7)


@pytest.fixture
def context(tmp_path: Path) -> mlm.Context:
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    return mlm.Context(folder=tmp_path, work=tmp_path, project=tmp_path, problem=problem)


def measured(plugin: Any, seen: mlm.Window, context: mlm.Context) -> dict[str, mlm.Measure]:
    signals = plugin.mlm_measure(window=seen, context=context)
    assert [signal.metric for signal in signals] == [spec.name for spec in plugin.metrics]
    assert {(signal.deployment, signal.node) for signal in signals} == {("api", 7)}
    return {signal.metric: signal.measure for signal in signals}


def prompts(folder: Path, texts: list[str]) -> mlm.Dataset:
    return stored(folder, [{"prompt": text} for text in texts])


def stored(folder: Path, columns: list[dict[str, Any]]) -> mlm.Dataset:
    rows = [{"row_id": str(n), "source": "t", **row} for n, row in enumerate(columns)]
    with mlm.DatasetWriter(folder / "reference") as writer:
        writer.write(mlm.Batch(pa.Table.from_pylist(rows)))
    return writer.dataset


def test_traffic_is_counted(context: mlm.Context) -> None:
    seen = [
        exchange(n, latency_seconds=n / 10, prompt_tokens=3, completion_tokens=10, cost_usd=0.001) for n in range(1, 9)
    ]
    seen += [exchange(9, status=503, error="busy", latency_seconds=60), exchange(10, status=400, response="")]
    seen[0] = exchange(
        1, response="I am sorry, but I will not help with that.", guards=({"guard": "pii", "action": "redact"},)
    )
    feedback = {
        "x2": Feedback("x2", -1),
        "x3": Feedback("x3", 1),
        "x4": Feedback("x4", 1),
        "gone": Feedback("gone", -1),
    }

    found = measured(Traffic(), window(*seen, feedback=feedback), context)

    assert (found["requests"].value, found["tokens"].value) == (10, 7 * 13)
    assert (found["error_rate"].value, found["error_rate"].n) == (pytest.approx(1 / 9), 9)
    assert (found["refusal_share"].value, found["refusal_share"].n) == (pytest.approx(1 / 8), 8)
    assert found["guard_hit_rate"].value == pytest.approx(1 / 9)
    assert (found["negative_feedback_rate"].value, found["negative_feedback_rate"].n) == (pytest.approx(1 / 3), 3)
    assert (found["feedback_rate"].value, found["feedback_rate"].n) == (pytest.approx(3 / 9), 9)
    assert found["cost_per_1k_tokens_usd"].value == pytest.approx(0.1)
    # The latency of a request that failed is not that of an answer.
    assert found["latency_p95_seconds"].value == 0.8


def test_mistakes_of_clients_change_nothing_but_the_number_of_requests(context: mlm.Context) -> None:
    seen = [exchange(n, latency_seconds=n, prompt_tokens=3, completion_tokens=9, cost_usd=0.001) for n in range(1, 9)]
    seen += [exchange(9, status=504, error="request_timeout", latency_seconds=120)]
    wrong = [exchange(n, status=status, latency_seconds=0.001) for n, status in enumerate((400, 403, 404, 413), 20)]

    without = measured(Traffic(), window(*seen), context)
    found = measured(Traffic(), window(*seen, *wrong), context)

    assert found.pop("requests").value == without.pop("requests").value + 4 == 13
    assert found == without
    assert (found["error_rate"].value, found["latency_p50_seconds"].n) == (pytest.approx(1 / 9), 8)


def test_who_is_turned_away_for_lack_of_room_met_an_error(context: mlm.Context) -> None:
    seen = [exchange(n) for n in range(400)] + [exchange(1000 + n, status=429, error="busy") for n in range(400)]

    found = measured(Traffic(), window(*seen), context)

    assert (found["error_rate"].value, found["error_rate"].n) == (0.5, 800)
    assert found["latency_p50_seconds"].n == 400


def test_who_leaves_a_service_that_hangs_has_waited(context: mlm.Context) -> None:
    seen = [exchange(n, latency_seconds=0.4, completion_tokens=5) for n in range(400)]
    left = [exchange(1000 + n, status=499, latency_seconds=30, response="") for n in range(200)]

    found = measured(Traffic(), window(*seen, *left), context)

    assert (found["latency_p95_seconds"].low, found["latency_p95_seconds"].n) == (30, 600)
    # Nobody knows how it would have ended.
    assert (found["error_rate"].value, found["error_rate"].n) == (0, 400)
    assert (found["refusal_share"].n, found["cost_per_1k_tokens_usd"].n) == (400, 400)


def test_cost_is_weighed_by_tokens(context: mlm.Context) -> None:
    seen = [exchange(1, completion_tokens=100, cost_usd=0.01), exchange(2, completion_tokens=10, cost_usd=0.02)]

    cost = measured(Traffic(), window(*seen), context)["cost_per_1k_tokens_usd"]

    assert cost.value == pytest.approx(1000 * 0.03 / 110)
    # Student's t with one degree of freedom, 12.7, times the linearized standard error of a ratio: two say little.
    spread = np.sqrt(sum((1000 * c - cost.value * t) ** 2 for c, t in ((0.01, 100), (0.02, 10))) / 2) / 55
    assert (cost.low, cost.high) == pytest.approx((cost.value - 12.7062 * spread, cost.value + 12.7062 * spread))


def test_an_empty_window_measures_nothing(context: mlm.Context, tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text('{"subject": "a", "attribute": "b", "value": "c"}')
    for plugin in (Traffic(), PromptDrift(reference=prompts(tmp_path, OLD)), HallucinationRate(facts=facts)):
        found = measured(plugin, window(), context)
        requests = found.pop("requests", None)
        assert requests is None or requests.value == 0
        assert {(measure.value, measure.n) for measure in found.values()} == {(None, 0)}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20))
def test_divergence_is_the_square_of_scipys_distance(counts: list[tuple[int, int]]) -> None:
    p, q = (np.array(column, dtype=float) for column in zip(*counts, strict=True))
    if p.sum() == 0 or q.sum() == 0:
        return
    distance = np.nan_to_num(jensenshannon(p, q, base=2))  # scipy takes the root of a tiny negative where p equals q

    assert divergence(p, q) == pytest.approx(distance**2, abs=1e-9)


def test_the_same_kind_of_prompts_has_not_drifted(context: mlm.Context, tmp_path: Path) -> None:
    same = [exchange(n, prompt=text) for n, text in enumerate(OLD[::2])]

    drift = measured(PromptDrift(reference=prompts(tmp_path, OLD)), window(*same), context)["prompt_drift"]

    bound = float(drift.note.split()[-2])
    assert drift.value is not None
    assert drift.value <= bound


def test_prompts_of_another_kind_have_drifted(context: mlm.Context, tmp_path: Path) -> None:
    other = [exchange(n, prompt=text) for n, text in enumerate(NEW)]

    drift = measured(PromptDrift(reference=prompts(tmp_path, OLD)), window(*other), context)["prompt_drift"]

    assert drift.low > 5 * float(drift.note.split()[-2])
    assert drift.low <= drift.value <= drift.high
    assert drift.n == len(NEW)


def test_of_conversations_what_the_user_says_last_is_compared(context: mlm.Context, tmp_path: Path) -> None:
    turns = [[("user", "zz"), ("assistant", "yy"), ("user", text), ("assistant", "xx")] for text in OLD]
    rows = [{"messages": [{"role": role, "content": text} for role, text in turn]} for turn in turns]
    same = [exchange(n, prompt=text) for n, text in enumerate(OLD)]

    drift = measured(PromptDrift(reference=stored(tmp_path, rows)), window(*same), context)["prompt_drift"]

    assert drift.value == 0.0


def test_one_prompt_meets_and_breaks_no_bound_on_drift(context: mlm.Context, tmp_path: Path) -> None:
    for prompt in (OLD[0], NEW[0]):
        drift = measured(PromptDrift(reference=prompts(tmp_path, OLD)), window(exchange(1, prompt=prompt)), context)
        assert (drift["prompt_drift"].low, drift["prompt_drift"].high) == (0, 1)


def test_drift_of_disjoint_words_is_one_bit(context: mlm.Context, tmp_path: Path) -> None:
    drift = measured(PromptDrift(reference=prompts(tmp_path, ["a b"])), window(exchange(1, prompt="c d")), context)

    assert drift["prompt_drift"].value == pytest.approx(1.0)


def test_drift_alarms_by_chance_about_as_often_as_the_note_says(context: mlm.Context, tmp_path: Path) -> None:
    monitor = PromptDrift(reference=prompts(tmp_path, OLD), resamples=100)
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(60):
        drawn = [exchange(n, prompt=str(text)) for n, text in enumerate(random.choice(OLD, 50))]
        drift = measured(monitor, window(*drawn), context)["prompt_drift"]
        alarms += drift.value > float(drift.note.split()[-2])

    assert alarms <= 9  # 5 % of 60 are 3; 10 or more have a chance below 0.1 %


def test_the_interval_of_prompts_of_the_reference_holds_0(context: mlm.Context, tmp_path: Path) -> None:
    monitor = PromptDrift(reference=prompts(tmp_path, OLD), resamples=100)
    lows = []
    for seed in range(40):
        texts = np.random.default_rng(seed).choice(OLD, 50)
        drawn = [exchange(n, prompt=str(text)) for n, text in enumerate(texts)]
        drift = measured(monitor, window(*drawn), context)["prompt_drift"]
        assert 0 <= drift.low <= drift.value <= drift.high
        lows.append(drift.low)
    other = [exchange(n, prompt=text) for n, text in enumerate(NEW[:50])]
    drifted = measured(monitor, window(*other), context)["prompt_drift"]

    assert lows.count(0) >= 34  # 95 % of 40 are 38; 33 or fewer have a chance below 2 %
    assert drifted.low > 0.1
    assert "less the" in drifted.note


def test_drift_reads_no_more_than_a_sample(context: mlm.Context, tmp_path: Path) -> None:
    seen = [exchange(n, prompt=text) for n, text in enumerate(OLD)]

    drift = measured(PromptDrift(reference=prompts(tmp_path, OLD), sample=20), window(*seen), context)["prompt_drift"]

    assert drift.n == 20


def test_hallucinations_are_counted_among_checkable_responses(context: mlm.Context, tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    table = [("Velmara", "Dorrit"), ("Orduin", "Ivelle")]
    facts.write_text("\n".join(json.dumps({"subject": s, "attribute": "capital", "value": v}) for s, v in table))
    said = ["It is Dorrit.", "It is Ivelle.", "I do not know.", "Ivelle!"]
    seen = [exchange(n, prompt="Name the capital of Velmara.", response=text) for n, text in enumerate(said)]
    seen += [
        exchange(8, prompt="Hello", response="Ivelle"),
        exchange(9, prompt="Velmara: capital?", response="Ivelle", status=500),
    ]

    rate = measured(HallucinationRate(facts=facts), window(*seen), context)["hallucination_rate"]

    assert (rate.value, rate.n, rate.coverage) == (pytest.approx(2 / 3), 3, 0.75)
