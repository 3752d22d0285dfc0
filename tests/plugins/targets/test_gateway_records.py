"""What is kept of the traffic: exchanges, feedback, metrics, cost."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from mlm_plugins.targets.gateway.arms import SharedClock
from mlm_plugins.targets.gateway.metrics import Histogram
from mlm_plugins.targets.gateway.recorder import ROWS, Recorder
from mlm_registry import Exchange


def exchange(id: str) -> Exchange:
    return Exchange(id, "api", 1, 1, "chat", 0.0, {}, "p")


def test_an_exchange_says_what_was_asked_and_answered(start: Any) -> None:
    house = start()
    messages = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "two"},
    ]

    given = house.http.post("/v1/chat/completions", json={"messages": messages, "user": "u1", "seed": 4}).json()["id"]

    kept = house.recorded(given)
    assert (kept.deployment, kept.revision, kept.route, kept.prompt) == ("api", 1, "chat", "two")
    assert (kept.response, kept.finish_reason, kept.status, kept.error) == ("Hello, world.", "stop", 200, None)
    assert (kept.request["user"], kept.request["seed"], len(kept.request["messages"])) == ("u1", 4, 3)
    assert house.registry.node(kept.node).ref == "int8@1"
    assert 0 < kept.first_token_seconds <= kept.latency_seconds
    # Alone in the engine it pays for the whole time between its begin and its end, and not more.
    assert 0 < kept.cost_usd <= kept.latency_seconds * 0.04 / 3600


def test_feedback_given_at_once_finds_its_exchange(start: Any) -> None:
    house = start()
    given = house.chat().json()["id"]

    response = house.http.post("/v1/feedback", json={"id": given, "rating": -1, "correction": "Bye."})

    assert response.json() == {"object": "feedback", "id": given, "rating": -1}
    [(_, kept)] = house.registry.exchanges.feedback_for([given])
    assert (kept.rating, kept.correction) == (-1, "Bye.")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "x", "rating": 1}, 404),
        ({"id": "x", "rating": 0}, 400),
        ({"id": "x", "rating": True}, 400),
        ({"rating": 1}, 400),
    ],
)
def test_feedback_on_nothing_or_without_a_rating_is_refused(start: Any, body: Any, status: int) -> None:
    response = start().http.post("/v1/feedback", json=body)

    assert response.status_code == status
    assert response.json()["error"]["message"]


SAMPLE = re.compile(r"^([a-z_]+)(?:\{((?:[a-z_]+=\"(?:[^\"\\]|\\.)*\",?)*)\})? (\S+)$")


def parse(text: str) -> dict[str, float]:
    """Read samples as Prometheus does; each must follow the TYPE line of its metric."""
    samples: dict[str, float] = {}
    kind = ""
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            kind = line.split()[2]
        elif not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, line
            assert match[1].startswith(kind)
            samples[f"{match[1]}{{{match[2] or ''}}}"] = float(match[3])
    return samples


def test_metrics_are_prometheus_text(start: Any) -> None:
    house = start()
    house.chat()
    house.chat(n=2)

    response = house.http.get("/metrics")

    samples = parse(response.text)
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples['mlm_requests_total{route="chat",model="int8@1",status="200"}'] == 1
    assert samples['mlm_requests_total{route="chat",model="",status="400"}'] == 1
    assert samples['mlm_tokens_total{model="int8@1",kind="completion"}'] == 13
    assert samples['mlm_request_seconds_bucket{model="int8@1",le="+Inf"}'] == 1
    assert samples['mlm_first_token_seconds_count{model="int8@1"}'] == 1
    assert samples['mlm_arm_share{model="int8@1"}'] == 1
    assert samples['mlm_requests_running{model="int8@1"}'] == 0
    assert samples['mlm_deployment_revision{deployment="api"}'] == 1
    assert samples["mlm_exchanges_lost{}"] == 0
    assert samples['mlm_cost_usd_total{model="int8@1"}'] > 0


def test_a_histogram_counts_values_up_to_and_with_each_bound() -> None:
    histogram = Histogram("h", "help", (), (1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value)

    assert list(histogram.samples()) == [
        'h_bucket{le="1"} 2',
        'h_bucket{le="2"} 3',
        'h_bucket{le="+Inf"} 4',
        "h_sum 12",
        "h_count 4",
    ]


def test_labels_are_escaped() -> None:
    histogram = Histogram("h", "help", ("x",), ())
    histogram.observe(1.0, 'a"b\\c\nd')

    assert next(iter(histogram.samples())) == 'h_bucket{x="a\\"b\\\\c\\nd",le="+Inf"} 1'


def test_requests_share_the_time_of_their_engine() -> None:
    times = iter([0.0, 0.0, 0.0, 4.0, 4.0, 10.0, 10.0])
    clock = SharedClock(lambda: next(times))
    clock.enter()
    first = clock.read()
    clock.enter()
    second = clock.read()
    first = clock.read() - first
    second = clock.read() - second

    # Alone for 4 seconds, then two for 6 seconds: 4 + 3 and 3, together the 10 seconds of the engine.
    assert (first, second) == (7.0, 3.0)


def test_exchanges_are_written_in_batches_and_all_of_them_at_the_end() -> None:
    batches: list[int] = []
    recorder = Recorder(lambda rows: batches.append(len(rows)))

    for number in range(3 * ROWS + 5):
        recorder.put(exchange(str(number)))
    recorder.close()

    assert sum(batches) == 3 * ROWS + 5
    assert max(batches) == ROWS
    assert (recorder.lost, recorder.waiting) == (0, 0)


def test_a_registry_that_cannot_be_written_for_a_moment_loses_nothing() -> None:
    written: list[Exchange] = []
    failed = threading.Event()

    def write(rows: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError("disk full")
        written.extend(rows)

    recorder = Recorder(write)
    recorder.put(exchange("a"))
    assert failed.wait(5)
    recorder.close()

    assert [row.id for row in written] == ["a"]
    assert recorder.lost == 0


def test_what_can_never_be_written_is_counted_as_lost() -> None:
    def write(rows: Any) -> None:
        raise OSError("disk full")

    recorder = Recorder(write)
    recorder.put(exchange("a"))
    recorder.close()

    assert recorder.lost == 1
