"""Finding nodes and executions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from mlm_registry import Execution, Judgement, Node, NotFound, Registry, SignalRow

Make = Callable[..., Node]


def test_a_node_is_found_by_each_of_its_names(registry: Registry, make: Make) -> None:
    first, second = make(content=b"1"), make(content=b"2")

    assert second == registry.node("chat")
    for ref in (first.id, str(first.id), "chat@1", first.digest, first.digest[:8]):
        assert first == registry.node(ref)


def test_equal_bytes_are_found_as_the_newest_node(registry: Registry, make: Make) -> None:
    make("a")
    newest = make("b")

    assert newest == registry.node(newest.digest)


def test_a_short_digest_of_two_objects_is_refused(registry: Registry) -> None:
    digests = ["abcdef01" + end * 56 for end in "23"]
    registry.finish(Execution("s", "s", "r", "p"), outputs=[Node(f"n{d[-1]}", "report", d) for d in digests])

    with pytest.raises(NotFound, match="starts 2 digests"):
        registry.node("abcdef01")
    assert registry.node("abcdef012").name == "n2"


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("caht", "no node is named 'caht'; did you mean 'chat'"),
        ("chat@7", r"'chat' has no version 7 \(newest: chat@1\)"),
        (99, "no node has id 99"),
        ("f" * 64, "no node is named"),
        ("", "no node is named ''"),
    ],
)
def test_an_unknown_node_is_refused_with_the_near_miss(
    registry: Registry, make: Make, ref: str | int, said: str
) -> None:
    make()

    with pytest.raises(NotFound, match=said):
        registry.node(ref)


def test_runs_and_executions_come_newest_first(registry: Registry, make: Make) -> None:
    for run in ("one", "two", "one"):
        make(run=run)

    assert registry.runs() == ["one", "two"]
    assert registry.runs(limit=1) == ["one"]
    assert [e.id for e in registry.executions(run="one")] == [3, 1]
    assert [e.id for e in registry.executions(step="chat", limit=1)] == [3]


def test_an_unknown_execution_is_an_error(registry: Registry) -> None:
    with pytest.raises(NotFound, match="no execution has id 5"):
        registry.execution(5)


def test_the_newest_judgement_of_each_judge_counts(registry: Registry) -> None:
    for by, outcome in [("gate", "fail"), ("card", "pass"), ("gate", "pass")]:
        registry.judge(Judgement("d" * 64, "check", by, outcome, "code", "reason", requirements="r1"))  # type: ignore[arg-type]
    registry.judge(Judgement("d" * 64, "check", "gate", "fail", "code", "reason", requirements="r2"))

    newest = registry.judgements(subject="d" * 64, requirements="r1", latest=True)

    assert [(j.by, j.outcome) for j in newest] == [("gate", "pass"), ("card", "pass")]
    assert len(registry.judgements(kind="check")) == 4


def test_a_verdict_that_has_not_changed_is_stored_once(registry: Registry) -> None:
    verdict = Judgement(
        "d" * 64, "gate", "useful", "pass", "met", "fine", "r1", 0.8, 0.9, {"value": 0.85, "n": 3}, at=1
    )
    first = registry.judge(verdict)

    again = registry.judge(evolve(verdict, at=2))
    for change in ({"requirements": "r2"}, {"low": 0.7}, {"evidence": {"value": 0.85, "n": 4}}, {"outcome": "fail"}):
        registry.judge(evolve(verdict, **change))
    back = registry.judge(evolve(verdict, at=3))

    assert (again, back.at, len(registry.judgements())) == (first, 3, 6)


def test_a_curve_that_is_measured_all_day_keeps_a_point_each_ten_minutes_and_its_newest(registry: Registry) -> None:
    seals = registry.database.query("SELECT count(*) FROM seals")
    for second in range(0, 3000, 10):
        registry.record_signals([SignalRow("api", m, float(second), node=1, n=5, at=1e9 + second) for m in ("a", "b")])

    for metric in ("a", "b"):
        kept = [row.value for row in reversed(registry.signals(metric=metric))]
        assert kept == [0, 600, 1200, 1800, 2400, 2990]
    assert registry.database.query("SELECT count(*) FROM seals") == seals


def test_signals_come_newest_first_and_may_have_no_value(registry: Registry) -> None:
    registry.record_signals(
        [SignalRow("api", "psi", 0.1, n=5), SignalRow("api", "psi", None), SignalRow("b", "psi", 1)]
    )

    assert [row.value for row in registry.signals(deployment="api", metric="psi")] == [None, 0.1]
    assert [row.value for row in registry.signals(deployment="api", limit=1)] == [None]
