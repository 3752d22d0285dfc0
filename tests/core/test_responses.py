"""The list of what was asked and answered."""

from __future__ import annotations

import time

import pytest
from attrs import evolve
from trial import LESSONS, TrialProject

from mlm_registry import Exchange, Feedback


@pytest.fixture
def asked(life: TrialProject) -> TrialProject:
    """A life with three exchanges of two people."""
    life.deploy()
    with life.registry() as registry:
        node, now = registry.node("chat").id, time.time()
        one = Exchange("one", "api", 1, node, "chat", now, {"user": "ada"}, "first?", "yes")
        guarded = ({"guard": "pii", "action": "redact"},)
        registry.exchanges.record(
            [
                one,
                evolve(one, id="two", at=now + 1, request={"user": "bob"}, prompt="second?", guards=guarded),
                evolve(one, id="three", at=now + 2, deployment="other", prompt="third?\n" + "long " * 40),
            ]
        )
        registry.exchanges.feedback(Feedback("one", -1, by="ada"))
    return life


def ids(project: TrialProject, *options: str) -> list[str]:
    return project.mlm("responses", "--ids", *options).out.split()


def test_responses_are_listed_newest_first_and_narrowed(asked: TrialProject) -> None:
    assert ids(asked) == ["three", "two", "one"]
    assert ids(asked, "--limit", "1") == ["three"]
    assert ids(asked, "--user", "ada") == ["three", "one"]
    assert ids(asked, "--from", "api") == ["two", "one"]
    assert ids(asked, "--version", "chat@1", "--user", "bob") == ["two"]
    assert asked.mlm("responses", "--version", "nobody").error == "Error: no node is named 'nobody'"


def test_a_response_says_who_answered_and_what_people_thought(asked: TrialProject) -> None:
    three, two, one = asked.mlm("responses", "--json").json

    assert (one["version"], one["prompt"], one["response"], one["rating"]) == ("chat@1", "first?", "yes", -1)
    assert [three["guarded"], two["guarded"], one["guarded"]] == [False, True, False]
    table = asked.mlm("responses").out
    assert "disliked" in table
    assert "…" in table


def test_an_id_of_the_list_can_be_traced(life: TrialProject) -> None:
    life.deploy()
    life.visit(LESSONS[:3])

    (newest,) = ids(life, "--limit", "1")

    assert life.mlm("trace", newest, "--json").json["prompt"] == LESSONS[2]["prompt"]


def test_before_anybody_asked_the_list_is_empty(life: TrialProject) -> None:
    assert life.mlm("responses", "--json").json == []


def test_feedback_is_listed_newest_first_with_its_time_and_is_up_or_down(asked: TrialProject) -> None:
    assert asked.mlm("feedback", "two", "--up").out == "two is rated +1\n"
    assert asked.mlm("feedback", "three", "--down", "--correction", "no").code == 0
    for wrong in (["--up", "--down"], ["--correction", "no"]):
        assert "say --up or --down, one of them" in asked.mlm("feedback", "one", *wrong).err

    given = asked.mlm("feedback", "--json").json
    assert [(one["response"], one["rating"]) for one in given] == [("three", -1), ("two", 1), ("one", -1)]
    lines = asked.mlm("feedback").out.splitlines()
    assert [line.split()[2:4] for line in lines] == [["three", "-1"], ["two", "+1"], ["one", "-1"]]
    assert lines[0].startswith(time.strftime("%Y-%m-%d ", time.localtime(given[0]["at"])))
