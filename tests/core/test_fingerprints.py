"""What makes a step run again, and what does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from trial import TrialProject

from mlm_registry import Amendment

PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = ["schema", { use = "drop", word = "nothing" }]

[data.exam]
use = "pairs"
rows = { "one?" = "1" }
readers = 1

[training.chat]
use = "memory"
data = "lessons"

[evaluation.quality]
use = "exact-match"
model = "chat"
data = "exam"
"""
ALL = {"lessons", "exam", "chat", "quality"}
AFTER_LESSONS = ALL - {"exam"}


@pytest.fixture
def ran(project: TrialProject) -> TrialProject:
    """A project in which everything has run once."""
    project.jsonl("lessons.jsonl", [{"prompt": "one?", "completion": "1"}, {"prompt": "two?", "completion": "2"}])
    project.write(PROJECT)
    assert project.ran() == ALL
    return project


def write_lessons(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"prompt": "one?", "completion": "1"}])


def touch_lessons(project: TrialProject) -> None:
    file = project.folder / "lessons.jsonl"
    file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")


def comment(project: TrialProject) -> None:
    project.change("[problem]", "# A remark.\n\n[problem]")


def revoke_nothing(project: TrialProject) -> None:
    with project.registry() as registry:
        registry.improvements.amend(Amendment("set", "chat", 1, key="most", by="tester"))


def test_what_has_run_does_not_run_again(ran: TrialProject) -> None:
    assert ran.ran() == set()
    assert ran.refs() == {"lessons@1", "exam@1", "chat@1", "quality@1"}


@pytest.mark.parametrize(
    ("change", "again"),
    [
        pytest.param(lambda p: p.change('"memory"', '"memory"\nmost = 1'), {"chat", "quality"}, id="a setting"),
        pytest.param(lambda p: p.change('"memory"', '"memory"\nworkers = 8'), set(), id="a setting of no effect"),
        pytest.param(lambda p: p.change("readers = 1", "readers = 2"), set(), id="a source's setting of no effect"),
        pytest.param(lambda p: p.change('"nothing"', '"two"'), AFTER_LESSONS, id="a transform's setting"),
        pytest.param(lambda p: p.change('"nothing"', '"else"'), {"lessons"}, id="a setting that left the bytes alone"),
        pytest.param(lambda p: p.change('["schema", ', '["shout", "schema", '), AFTER_LESSONS, id="a transform"),
        pytest.param(write_lessons, AFTER_LESSONS, id="a file's content"),
        pytest.param(touch_lessons, set(), id="a file's time"),
        pytest.param(comment, set(), id="a comment"),
        pytest.param(lambda p: p.change('{ "one?" = "1" }', '{ "two?" = "2" }'), {"exam", "quality"}, id="the exam"),
        pytest.param(lambda p: p.change("[data.lessons]", "seed = 2\n[data.lessons]"), ALL, id="the seed"),
        pytest.param(lambda p: p.change("[data.lessons]", "threads = 1\n[data.lessons]"), set(), id="threads"),
        pytest.param(lambda p: p.change("Answer a few", "Answer some"), set(), id="the purpose"),
        pytest.param(revoke_nothing, {"chat", "quality"}, id="an amendment"),
    ],
)  # fmt: skip
def test_a_change_reruns_exactly_what_depends_on_it(
    ran: TrialProject, change: Callable[[TrialProject], None], again: set[str]
) -> None:
    change(ran)

    assert ran.ran() == again


def test_a_setting_that_goes_back_finds_its_old_result(ran: TrialProject) -> None:
    ran.change('"memory"', '"memory"\nmost = 1')
    ran.run()
    ran.change('"memory"\nmost = 1', '"memory"')

    assert ran.ran() == set()


def test_a_revoked_amendment_no_longer_counts(ran: TrialProject) -> None:
    with ran.registry() as registry:
        amendment = registry.improvements.amend(Amendment("set", "training.chat", 1, key="most", by="tester"))
    assert ran.ran() == {"chat", "quality"}
    assert [step["amended_by"] for step in ran.mlm("plan", "--json").json["steps"]] == [[], [], [amendment.id], []]

    with ran.registry() as registry:
        registry.improvements.revoke(amendment.id, by="tester", reason="a mistake")
    assert ran.ran() == set()
    assert ran.mlm("plan", "--json").json["amendments"] == []


def test_an_amendment_for_a_step_that_is_gone_says_so(ran: TrialProject) -> None:
    with ran.registry() as registry:
        registry.improvements.amend(Amendment("add", "leftovers", "exam@1", by="tester"))

    assert ran.mlm("run").error == ("Error: amendment 1 adds rows to 'leftovers', which is no data step: revoke it")


def test_a_secret_is_neither_keyed_nor_stored(ran: TrialProject, monkeypatch: pytest.MonkeyPatch) -> None:
    ran.change('"memory"', '"keyed"\nkey = { env = "TRIAL_KEY" }')
    monkeypatch.setenv("TRIAL_KEY", "swordfish")
    assert ran.ran("chat") == {"chat"}

    monkeypatch.setenv("TRIAL_KEY", "marlin")
    assert ran.ran("chat") == set()
    stored = [file for file in (ran.folder / ".mlm").rglob("*") if file.is_file() and b"swordfish" in file.read_bytes()]
    assert stored == []


def test_bytes_that_are_gone_are_made_again(ran: TrialProject) -> None:
    with ran.registry() as registry:
        registry.objects.sweep([node.digest for node in registry.nodes() if node.name != "chat"])

    assert ran.ran() == {"chat"}
