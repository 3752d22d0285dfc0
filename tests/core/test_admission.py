"""Admission: which weights may be loaded; one code a refusal, and an audit row for each answer."""

from __future__ import annotations

import os
import sqlite3
import timeit
from collections.abc import Callable
from contextlib import closing

import pytest
from trial import LESSONS, TrialProject

from mlm.errors import Refused
from mlm.gates import admission, admit, judge_gates


def recall(project: TrialProject) -> None:
    with project.registry() as registry:
        registry.recalls.add("chat", [registry.node("chat").id], by="tester", reason="poisoned")


def recall_rows(project: TrialProject) -> None:
    with project.registry() as registry:
        registry.recalls.add("lessons", [registry.node("lessons").id], by="tester", reason="poisoned")


def retire(project: TrialProject) -> None:
    assert project.mlm("retire", "chat", "--reason", "old").code == 0


def demote(project: TrialProject) -> None:
    with project.registry() as registry:
        registry.models.set_state(registry.node("chat").id, "candidate", by="tester", reason="a doubt")


def corrupt(project: TrialProject) -> None:
    with project.registry() as registry:
        [file] = registry.objects.path(registry.node("chat").digest).iterdir()
    os.chmod(file, 0o644)
    file.write_text("{}", encoding="utf-8")


def tighten(project: TrialProject) -> None:
    project.change("min = 0.8", "min = 0.95")


def make_the_exam_wrong(project: TrialProject) -> None:
    project.jsonl("exam.jsonl", [{**row, "completion": "wrong"} for row in LESSONS[:30]])


def fail_the_exam(project: TrialProject) -> None:
    make_the_exam_wrong(project)
    project.run()


def lose_the_exam(project: TrialProject) -> None:
    (project.folder / "exam.jsonl").unlink()


def add_a_gate(project: TrialProject) -> None:
    """Measure before promotion what only traffic measured so far."""
    complaints = '[evaluation.extra]\nuse = "probe"\nmetric = "complaint_rate"\nvalue = 0.95\nmodel = "chat"\n\n'
    project.change("[deployment.api]", f"{complaints}[deployment.api]")
    project.run()


def forge_a_gate(project: TrialProject) -> None:
    """Make a failed gate a passed one, as anybody with the sqlite3 shell can."""
    project.change("min = 0.8", "min = 0.95")
    with project.open() as workspace:
        judge_gates(workspace, workspace.registry.models.version("chat"))
    with closing(sqlite3.connect(project.folder / ".mlm" / "registry.db", isolation_level=None)) as connection:
        connection.execute("UPDATE judgements SET outcome = 'pass' WHERE kind = 'gate'")


def forge_a_score(project: TrialProject) -> None:
    with closing(sqlite3.connect(project.folder / ".mlm" / "registry.db", isolation_level=None)) as connection:
        connection.execute("UPDATE scores SET low = 0.99")


def touch_the_log(sql: str) -> Callable[[TrialProject], None]:
    def touch(project: TrialProject) -> None:
        with closing(sqlite3.connect(project.folder / ".mlm" / "registry.db", isolation_level=None)) as connection:
            assert connection.execute(sql).rowcount

    return touch


@pytest.fixture
def approved(life: TrialProject) -> TrialProject:
    life.run()
    assert life.mlm("promote", "chat").code == 0
    return life


def test_an_approved_version_is_admitted(approved: TrialProject) -> None:
    with approved.open() as workspace:
        node = workspace.registry.node("chat")
        model = admit(workspace, node.id, "gateway")
        event = workspace.registry.audit.events(limit=1)[0]

    assert (model.ref, model.digest, model.library) == ("chat@1", node.digest, "memory")
    assert (event.action, event.subject, event.by) == ("admitted", "chat@1", "gateway")


@pytest.mark.parametrize(
    ("spoil", "code", "reason"),
    [
        (recall, "model_recalled", "chat@1 is recalled"),
        (recall_rows, "model_recalled", "chat@1 rests on lessons@1, which is recalled"),
        (retire, "model_retired", "chat@1 is retired"),
        (demote, "model_not_approved", "chat@1 is a candidate: promote it first"),
        (corrupt, "digest_mismatch", "the bytes of chat@1 do not match its digest"),
        (forge_a_gate, "registry_tampered", "chat@1: judgements "),
        (forge_a_score, "registry_tampered", "chat@1: scores 1 was edited behind the registry's back"),
        (
            touch_the_log("UPDATE events SET \"by\" = 'eve' WHERE action = 'approve'"),
            "registry_tampered",
            "chat@1: row 1 of the audit log was edited behind the registry's back",
        ),
        (
            touch_the_log("DELETE FROM events WHERE id = (SELECT max(id) FROM events)"),
            "registry_tampered",
            "chat@1: rows of the audit log were deleted (2, not 3) behind the registry's back",
        ),
        (tighten, "gates_not_passed", "chat@1: usefulness: exact_match 1 [0.886"),
        (
            make_the_exam_wrong,
            "gates_not_passed",
            "chat@1: usefulness: exact_match of chat@1 has no up-to-date measure",
        ),
        (fail_the_exam, "gates_not_passed", "chat@1: usefulness: exact_match 0 ["),
        (lose_the_exam, "gates_not_passed", "chat@1: its gates cannot be judged: there is no file "),
        (add_a_gate, "gates_not_passed", "chat@1: content: complaint_rate 0.95 "),
    ],
)
def test_each_refusal_has_its_code(
    approved: TrialProject, spoil: Callable[[TrialProject], None], code: str, reason: str
) -> None:
    spoil(approved)

    with approved.open() as workspace:
        node = workspace.registry.node("chat").id
        with pytest.raises(Refused) as refusal:
            admit(workspace, node, "gateway")
        event = workspace.registry.audit.events(limit=1)[0]

    assert refusal.value.code == code
    assert str(refusal.value).startswith(reason)
    assert (event.action, event.detail) == ("admission-refused", {"code": code})


def test_a_row_that_was_added_to_the_audit_log_is_refused(approved: TrialProject) -> None:
    touch_the_log("INSERT INTO events (action, subject) VALUES ('admitted', 'chat@1')")(approved)

    answer = approved.mlm("admit", "production")

    assert (answer.code, answer.out.strip()) == (
        1, "registry_tampered: chat@1: rows of the audit log were added (4, not 3) behind the registry's back"
        " (mlm audit verify lists what was touched)",
    )  # fmt: skip


def test_a_long_log_of_admissions_costs_an_admission_little(approved: TrialProject) -> None:
    with approved.open() as workspace:
        registry = workspace.registry
        with registry.transaction():
            for _ in range(3000):
                registry.audit.append("admitted", "chat@1", by="gateway")

        whole = min(timeit.repeat(registry.audit.verify, number=1, repeat=3))
        asked = min(timeit.repeat(registry.audit.touched, number=1, repeat=3))

    assert asked < whole / 5, (asked, whole)


def test_a_looser_number_admits_from_cached_scores(approved: TrialProject) -> None:
    approved.change("min = 0.8", "min = 0.5")

    with approved.open() as workspace:
        assert admission(workspace, workspace.registry.node("chat").id).passed


def test_an_exam_that_is_as_it_was_again_admits(approved: TrialProject) -> None:
    fail_the_exam(approved)
    assert approved.mlm("admit", "chat").code == 1

    approved.jsonl("exam.jsonl", LESSONS[:30])

    assert approved.mlm("admit", "chat").out == "chat@1 may be served\n"


def test_admission_looks_at_no_step_that_no_gate_needs(approved: TrialProject) -> None:
    (approved.folder / "lessons.jsonl").unlink()

    assert approved.mlm("admit", "chat").out == "chat@1 may be served\n"


def test_what_monitors_measure_all_day_lays_nothing_on_admission(approved: TrialProject) -> None:
    assert approved.mlm("deploy").code == 0
    approved.visit(LESSONS[:40])
    with approved.registry() as registry:
        before = registry.database.query("SELECT count(*) FROM seals")

    for _ in range(3):
        assert approved.reconcile()["state"] == "done"

    with approved.registry() as registry:
        assert registry.database.query("SELECT count(*) FROM seals") == before
        assert registry.signals(metric="complaint_rate", limit=1)[0].n == 40


def test_what_is_not_admitted_is_not_deployed(approved: TrialProject) -> None:
    tighten(approved)

    answer = approved.mlm("deploy", "--json").json

    assert answer["action"]["text"].startswith("not admitted: chat@1: usefulness")
    assert answer["desired"] is None
