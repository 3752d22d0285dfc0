"""Requests, responses and feedback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlm_registry import Exchange, Feedback, NotFound, Registry, RegistryError


def exchange(id: str, at: float = 1.0, **changed: Any) -> Exchange:
    given: dict[str, Any] = {
        "deployment": "api", "revision": 1, "node": 1, "route": "/v1/chat/completions", "request": {"messages": []},
        "prompt": "What is it?", "response": "A country.", "guards": ({"guard": "pii", "outcome": "pass"},), **changed,
    }  # fmt: skip
    return Exchange(id=id, at=at, **given)


def test_an_exchange_comes_back_as_it_was(registry: Registry) -> None:
    seen = exchange("a", error="slow", first_token_seconds=0.1, cost_usd=0.001, prompt="Grüße, 世界 🙂")

    registry.exchanges.record([seen])

    assert seen == registry.exchanges.get("a")
    with pytest.raises(NotFound, match="no exchange has id 'b'"):
        registry.exchanges.get("b")


def test_exchanges_are_no_part_of_the_registry_s_own_file(registry: Registry) -> None:
    assert not (registry.folder / "exchanges.db").exists()

    registry.exchanges.record([exchange("a")])

    assert (registry.folder / "exchanges.db").exists()
    assert registry.database.query("SELECT 1 FROM sqlite_master WHERE name = 'exchanges'") == []


def test_a_batch_that_is_sent_twice_is_stored_once(registry: Registry) -> None:
    for _ in range(2):
        registry.exchanges.record([exchange("a"), exchange("b")])

    assert registry.exchanges.count() == 2


def test_a_file_that_was_moved_while_it_was_in_use_takes_nothing_until_it_is_back(registry: Registry) -> None:
    file, away = registry.folder / "exchanges.db", registry.folder / "away.db"
    registry.exchanges.record([exchange("a")])
    file.rename(away)

    with pytest.raises(RegistryError, match=r"exchanges\.db was moved or deleted while it was in use: put it back"):
        registry.exchanges.record([exchange("b")])
    away.rename(file)
    registry.exchanges.record([exchange("b")])

    assert sorted(registry.exchanges.ids()) == ["a", "b"]


def test_one_response_with_broken_text_does_not_lose_the_batch(registry: Registry) -> None:
    registry.exchanges.record([exchange("a"), exchange("b", prompt="half \ud83d of a smile")])

    assert registry.exchanges.get("b").prompt == "half ? of a smile"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcd"),
        ({"deployment": "api"}, "abc"),
        ({"node": 2}, "cd"),
        ({"deployment": "api", "node": 2}, "c"),
        ({"revision": 2}, "c"),
        ({"since": 2.0}, "bcd"),
        ({"since": 2.0, "until": 4.0}, "bc"),
        ({"deployment": "other", "until": 1.0}, ""),
    ],
)
def test_each_filter_narrows_and_the_oldest_comes_first(
    registry: Registry, filters: dict[str, Any], expected: str
) -> None:
    stored = [
        exchange("a", 1.0),
        exchange("b", 2.0),
        exchange("c", 3.0, node=2, revision=2),
        exchange("d", 4.0, node=2, deployment="other"),
    ]
    registry.exchanges.record(stored[::-1])

    assert list(expected) == [e.id for e in registry.exchanges.find(**filters)]
    assert len(expected) == registry.exchanges.count(**filters)


def test_a_limit_keeps_the_newest(registry: Registry) -> None:
    registry.exchanges.record([exchange(name, at) for at, name in enumerate("abc")])

    assert [e.id for e in registry.exchanges.find(limit=2)] == ["b", "c"]


def test_nodes_are_counted_for_each_deployment(registry: Registry) -> None:
    registry.exchanges.record([exchange("a"), exchange("b"), exchange("c", node=2), exchange("d", deployment="other")])

    assert registry.exchanges.node_counts("api") == {1: 2, 2: 1}
    assert registry.exchanges.node_counts("none") == {}


def test_feedback_comes_with_its_exchange(registry: Registry) -> None:
    asked = exchange("a")
    registry.exchanges.record([asked, exchange("b", deployment="other")])

    given = registry.exchanges.feedback(Feedback("a", -1, "An island.", by="ana", at=5.0))
    other = registry.exchanges.feedback(Feedback("b", 1))

    assert [(asked, given)] == registry.exchanges.feedback_for(["a", "none"])
    assert [(asked, given)] == registry.exchanges.feedbacks("api", since=5.0)
    assert [other] == [feedback for _, feedback in registry.exchanges.feedbacks(since=6.0)]


def test_feedback_on_an_unknown_exchange_is_refused(registry: Registry) -> None:
    with pytest.raises(NotFound, match="no exchange has id 'a'"):
        registry.exchanges.feedback(Feedback("a", 1))


def test_erased_text_is_nowhere_in_the_folder(registry: Registry) -> None:
    registry.exchanges.record([exchange(str(i), prompt=f"secret-{i}") for i in range(50)])
    registry.exchanges.feedback(Feedback("7", 1, "secret-7 corrected"))

    assert registry.exchanges.erase(["7", "none"]) == 1

    stored = b"".join(path.read_bytes() for path in registry.folder.glob("exchanges.db*"))
    assert b"secret-7" not in stored
    assert b"secret-8" in stored
    assert registry.exchanges.count() == 49


def test_what_somebody_still_reads_is_not_called_erased_and_goes_with_a_second_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm_registry.database.BUSY_SECONDS", 0.1)
    with Registry.open(tmp_path) as registry, Registry.open(tmp_path) as other:
        registry.exchanges.record([exchange(str(i), prompt="secret") for i in range(50)])
        with other.exchanges.database.snapshot():
            assert other.exchanges.count() == 50
            with pytest.raises(RegistryError, match="-wal still holds what was deleted: another process"):
                registry.exchanges.erase(map(str, range(50)))

        assert registry.exchanges.erase(map(str, range(50))) == 0

    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.glob("exchanges.db*"))


def test_a_request_that_failed_is_no_response(registry: Registry) -> None:
    registry.exchanges.record([exchange("a"), exchange("b", status=500), exchange("c", node=2, status=422)])

    assert registry.exchanges.counts([1, 2]) == {1: 1}
    assert (registry.exchanges.count(node=1), registry.exchanges.count(node=1, answered=True)) == (2, 1)
    assert registry.exchanges.count(answered=True) == 1
