"""Arms that come and go, clients that leave, the end of the process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import mlm
from mlm_plugins.targets.gateway.plugin import Gateway
from mlm_registry import Execution, Node, Observation


def leave(house: Any, scripted: Any, stream: bool) -> None:
    """Send a request, wait until the engine works on it, and close the connection."""
    body = b'{"prompt": "hi", "stream": true}' if stream else b'{"prompt": "hi"}'
    head = f"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    address = httpx.URL(house.url)
    with socket.create_connection((address.host, address.port or 0)) as connection:
        connection.sendall(head + body)
        assert scripted.began.acquire(timeout=10)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_stops_the_engine(start: Any, engine: Any, stream: bool) -> None:
    house = start({"int8": (scripted := engine())})
    scripted.held.clear()

    leave(house, scripted, stream)

    house.until(lambda: scripted.running == 0)
    assert scripted.cancelled == 1
    house.until(lambda: house.service.recorder.flush() and house.registry.exchanges.count() == 1)
    assert (house.last().status, house.last().error) == (499, "client_disconnected")


def no_template(messages: Any) -> list[int]:
    raise mlm.DataError("the model has no chat template")


def test_running_requests_end_while_new_ones_are_turned_away(start: Any, engine: Any) -> None:
    house = start({"int8": (scripted := engine())})
    scripted.held.clear()
    with ThreadPoolExecutor(2) as pool, httpx.Client(base_url=house.url) as other:
        other.get("/healthz")
        running = [pool.submit(house.chat, stream=True), pool.submit(house.chat)]
        assert scripted.began.acquire(timeout=10)
        assert scripted.began.acquire(timeout=10)

        house.service.fleet.draining = True
        response = other.post("/v1/completions", json={"prompt": "x"})
        health = other.get("/healthz")
        house.drain()
        scripted.held.set()

        assert running[0].result().text.endswith("data: [DONE]\n\n")
        assert running[1].result().json()["choices"][0]["finish_reason"] == "stop"
    assert (response.status_code, response.json()["error"]["code"]) == (503, "draining")
    assert health.status_code == 503
    house.close()
    assert scripted.closed.is_set()
    assert house.registry.exchanges.count() == 2


def test_clients_that_leave_at_any_moment_leave_nothing_behind(start: Any, engine: Any) -> None:
    house = start({"int8": (scripted := engine("word " * 40))})
    body = b'{"prompt": ["a", "b"], "stream": true}'
    head = f"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    address = httpx.URL(house.url)

    for number in range(60):
        with socket.create_connection((address.host, address.port or 0)) as connection:
            connection.sendall((head + body)[: 60 + 3 * number])
            if number % 3 == 0 and 60 + 3 * number >= len(head + body):
                connection.recv(100)

    house.until(
        lambda: scripted.running == 0 and not any(arm.running for arm in house.service.fleet.roster.loaded.values())
    )
    assert house.complete().json()["choices"][0]["text"] == "word " * 40


def test_a_swap_of_arms_under_load_loses_no_request(start: Any, engine: Any) -> None:
    old, new = engine("old " * 50), engine("new " * 50)
    house = start({"old": old, "new": new}, shares=[1.0])
    stopped = threading.Event()

    def work(number: int) -> Counter[tuple[int, str]]:
        seen: Counter[tuple[int, str]] = Counter()
        while not stopped.is_set():
            response = house.complete("x", user=str(number))
            seen[response.status_code, response.json()["choices"][0]["text"][:3]] += 1
        return seen

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work, number) for number in range(4)]
        house.until(lambda: house.registry.exchanges.count() > 5)
        house.desire(new_1=1.0)
        house.until(old.closed.is_set)
        stopped.set()
        seen = sum((worker.result() for worker in workers), Counter())

    assert set(seen) == {(200, "old"), (200, "new")}
    house.service.recorder.flush()
    assert house.registry.exchanges.count() == seen.total()
    assert house.complete().headers["x-mlm-version"] == "new@1"


def test_an_engine_is_unloaded_only_when_its_last_request_has_ended(start: Any, engine: Any) -> None:
    old = engine()
    house = start({"old": old, "new": engine("new")}, shares=[1.0])
    old.held.clear()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(house.complete)
        assert old.began.acquire(timeout=10)
        house.desire(new_1=1.0)
        house.until(lambda: list(house.service.fleet.roster.shares) == ["new@1"])

        assert house.complete().json()["model"] == "new@1"
        assert not old.closed.is_set()
        old.held.set()
        assert running.result().json()["choices"][0]["text"] == "Hello, world."
    house.until(old.closed.is_set)


def test_a_session_stays_on_its_arm_and_shares_hold(start: Any, engine: Any) -> None:
    house = start({"a": engine("a"), "b": engine("b")}, shares=[0.7, 0.3])

    def ask(session: str) -> str:
        response = house.http.post("/v1/completions", json={"prompt": "x"}, headers={"x-session-id": session})
        return str(response.headers["x-mlm-version"])

    first = [ask(str(i)) for i in range(200)]

    assert [ask(str(i)) for i in range(20)] == first[:20]
    # Five standard deviations of a binomial with n = 200, p = 0.7.
    assert abs(first.count("a@1") - 140) < 5 * (200 * 0.7 * 0.3) ** 0.5
    assert house.complete(user="u").json()["model"] == house.complete(user="u").json()["model"]


def test_a_version_may_be_asked_for_by_name(start: Any, engine: Any) -> None:
    house = start({"a": engine("a"), "b": engine("b")}, shares=[1.0, 0.0])

    assert house.complete(model="b@1").json()["choices"][0]["text"] == "b"
    assert house.complete(model="c@1").json()["error"]["code"] == "model_not_found"
    assert house.complete(model="gpt").status_code == 404


def test_a_retired_version_is_gone_and_a_recalled_one_forbidden(start: Any, engine: Any) -> None:
    house = start({"a": engine("a"), "b": (b := engine("b")), "c": (c := engine("c"))})
    house.registry.models.set_state(house.registry.node("b@1").id, "retired", by="t", reason="old")
    house.registry.recalls.add("c@1", [house.registry.node("c@1").id], by="t", reason="poisoned")

    house.until(lambda: b.closed.is_set() and c.closed.is_set())

    gone, forbidden = house.complete(model="b@1"), house.complete(model="c@1")
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "model_retired")
    assert (forbidden.status_code, forbidden.json()["error"]["code"]) == (403, "model_recalled")
    assert {house.complete().json()["model"] for _ in range(20)} == {"a@1"}


def test_what_came_from_recalled_data_is_served_no_more(start: Any, engine: Any) -> None:
    house = start({"a": (a := engine("a"))})
    registry = house.registry
    step = registry.start(Execution("facts", "data", "run", "scripted"))
    data = registry.finish(step, outputs=[Node("facts", "dataset", "f" * 64)])[0]
    step = registry.start(Execution("b", "training", "run", "scripted"))
    registry.finish(step, outputs=[Node("b", "model", "b" * 64)], inputs=[("data", data.id, "")])
    house.serves(b=engine("b"))
    house.desire(b_1=1.0)
    house.until(a.closed.is_set)

    registry.recalls.add("facts@1", [data.id], by="t", reason="poisoned")

    house.until(lambda: house.complete().status_code == 503)
    assert house.complete(model="b@1").json()["error"]["code"] == "model_recalled"


def test_an_arm_that_is_not_admitted_leaves_its_share_to_the_others(start: Any, engine: Any) -> None:
    house = start({"a": engine("a"), "b": mlm.Refused("no gate was passed", "gate-missing")})

    assert {house.complete().json()["model"] for _ in range(20)} == {"a@1"}
    seen = house.registry.deployments.observation("api")
    assert "gate-missing" in seen.error
    assert [arm.share for arm in seen.arms] == [1.0]
    observed = house.gateway.mlm_apply(house.desired)
    assert not observed.ready
    assert "gate-missing" in observed.detail


def test_a_model_that_takes_no_messages_is_not_served_where_the_task_is_chat(start: Any, engine: Any) -> None:
    mute = engine("b")
    mute.tokenizer.chat = no_template

    house = start({"a": engine("a"), "b": mute})

    assert {house.complete().json()["model"] for _ in range(20)} == {"a@1"}
    assert "chat_template_missing" in house.http.get("/healthz").json()["error"]
    assert mute.closed.is_set()


def test_an_arm_that_cannot_be_loaded_is_said_and_harms_no_other(start: Any, engine: Any) -> None:
    house = start({"a": engine("a"), "b": OSError("weights are short")})

    assert house.complete().json()["model"] == "a@1"
    assert "load_failed: weights are short" in house.http.get("/healthz").json()["error"]


def test_an_engine_that_stopped_is_loaded_again(start: Any, engine: Any) -> None:
    broken, fresh = engine("broken"), engine("fresh")
    house = start({"a": broken})
    broken.failure = mlm.EngineStopped("the engine broke")
    house.serves(**{"a@1": fresh})

    assert house.complete().json()["error"]["code"] == "engine_error"

    house.until(lambda: house.http.get("/healthz").status_code == 200)
    assert house.complete().json()["choices"][0]["text"] == "fresh"
    assert broken.closed.is_set()


def test_an_engine_that_stops_again_and_again_is_left_alone_and_said(start: Any, engine: Any) -> None:
    house = start({"a": (broken := engine("broken"))})
    broken.failure = mlm.EngineStopped("the engine broke")

    for _ in range(2):
        house.until(lambda: house.http.get("/healthz").json()["arms"].get("a@1") == 1.0)
        assert house.complete().json()["error"]["code"] == "engine_error"

    health = house.http.get("/healthz")
    assert (health.status_code, health.json()["status"]) == (503, "no model")
    assert "engine_stopped" in health.json()["error"]
    assert house.complete().status_code == 503


def test_the_old_arm_goes_on_where_no_new_one_is_admitted(start: Any, engine: Any) -> None:
    house = start({"a": engine("a"), "b": mlm.Refused("no", "gate-missing")}, shares=[1.0])

    revision = house.desire(b_1=1.0)

    house.until(lambda: house.service.fleet.roster.error == "b@1: gate-missing")
    assert house.complete().json()["model"] == "a@1"
    assert house.service.fleet.roster.revision < revision


def test_without_any_model_requests_get_503_until_there_is_one(start: Any, engine: Any) -> None:
    house = start({"a": engine("a"), "b": mlm.Refused("no", "gate-missing")}, shares=[0, 1])
    house.desire()
    house.until(lambda: not house.service.fleet.roster.arms)

    refused = house.complete()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_model")
    assert house.http.get("/healthz").status_code == 503


def test_apply_says_whether_a_gateway_runs_and_follows(start: Any) -> None:
    house = start()
    apply = house.gateway.mlm_apply

    observed = apply(house.desired)
    assert (observed.ready, observed.url, observed.revision) == (True, house.url, 1)

    house.desire(int8_1=1.0)
    house.until(lambda: apply(house.desired).revision == 2)

    house.close()
    assert apply(house.desired) == mlm.Observed(0, detail="no gateway is running: mlm serve api")


def test_apply_does_not_believe_a_dead_process(start: Any) -> None:
    house = start()
    house.close()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    house.registry.deployments.observe(Observation("api", 9, house.url, child.pid))

    assert not house.gateway.mlm_apply(house.desired).ready


def test_a_port_in_use_is_one_line(start: Any) -> None:
    house = start()
    port = httpx.URL(house.url).port or 0

    with pytest.raises(mlm.ProjectError, match=f"port {port} on 127.0.0.1 is in use"):
        Gateway(port=port).mlm_serve(house.desired, house.context)


def test_a_second_gateway_of_a_deployment_is_refused(start: Any) -> None:
    house = start(heartbeat_seconds=2)
    house.close()
    house.registry.deployments.observe(Observation("api", 1, "http://127.0.0.1:1", os.getppid()))

    with pytest.raises(mlm.ProjectError) as refused:
        Gateway(port=0).mlm_serve(house.desired, house.context)

    assert str(refused.value) == (
        f"a gateway of 'api' already runs (pid {os.getppid()}, http://127.0.0.1:1): stop it first"
    )


def test_sigterm_ends_the_process_with_0(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import mlm
from conftest import FakeEngine, add_model, make_context
from mlm_plugins.targets.gateway.plugin import Gateway
from mlm_registry import Arm, Registry
registry = Registry.open(Path({str(tmp_path)!r}))
node = add_model(registry, "int8").id
desired = mlm.Desired("api", 1, (Arm(node, 1.0),), registry.folder)
Gateway(port=0).mlm_serve(desired, make_context(Path({str(tmp_path)!r}), {{node: FakeEngine()}}))
print("ended")
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env={**os.environ}) as process:
        url = _announced(tmp_path)
        assert httpx.post(f"{url}/v1/completions", json={"prompt": "x"}).status_code == 200
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)

    assert (process.returncode, output) == (0, b"ended\n")


def _announced(folder: Path) -> str:
    from mlm_registry import Registry

    waiting = threading.Event()
    with Registry.open(folder) as registry:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if seen := registry.deployments.observation("api"):
                return str(seen.url)
            waiting.wait(0.02)
    raise AssertionError("the gateway did not announce itself")
