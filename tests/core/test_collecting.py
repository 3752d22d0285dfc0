"""Bytes that no node names are deleted; whatever a node names stays."""

from __future__ import annotations

import os

import pytest
from trial import TrialProject

from mlm.locking import locked


@pytest.fixture
def littered(life: TrialProject) -> TrialProject:
    """A life, with bytes beside it that nothing names."""
    life.deploy()
    with life.registry() as registry:
        registry.objects.put_bytes(b"left by a step that was killed")
    (life.folder / ".mlm" / "indexes" / "0" / "rows").mkdir(parents=True)
    return life


def test_a_dry_run_counts_and_deletes_nothing(littered: TrialProject) -> None:
    first = littered.mlm("gc", "--json").json

    assert (first["deleted"], first["files"], first["bytes"], first["indexes"]) == (False, 1, 30, 1)
    assert littered.mlm("gc", "--json").json == first
    told = littered.mlm("gc").out
    assert told.startswith("1 file, together 0.0 MB, would be deleted\n")
    assert "mlm gc --yes deletes them" in told


def test_work_that_nobody_can_go_on_with_is_counted_beside_files(littered: TrialProject) -> None:
    work = littered.folder / ".mlm" / "work" / "of-a-step-as-it-was"
    work.mkdir(parents=True)
    (work / "rows").write_bytes(b"x" * 2_000_000)

    assert littered.mlm("gc").out.startswith(
        "1 file and the work of 1 step that did not end and has begun anew since, together 2.0 MB, would be deleted\n"
    )


def test_what_a_node_names_stays_and_the_rest_goes(littered: TrialProject) -> None:
    assert littered.mlm("gc", "--yes").code == 0

    left = littered.mlm("gc", "--json").json
    assert (left["files"], left["bytes"], left["indexes"]) == (0, 0, 0)
    with littered.registry() as registry:
        assert all(registry.objects.verify(node.digest) for node in registry.nodes())
    assert littered.ran() == set()
    assert littered.mlm("admit", "production").code == 0


def test_an_old_retired_version_keeps_its_bytes(life: TrialProject) -> None:
    life.run()
    life.mlm("retire", "chat", "--reason", "old")

    life.mlm("gc", "--yes")

    with life.registry() as registry:
        assert registry.objects.verify(registry.node("chat").digest)


def test_work_of_a_step_that_has_changed_since_goes_and_work_to_go_on_with_stays(life: TrialProject) -> None:
    life.change('path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = ["shout", { use = "drop", word = "CITY" }]')
    assert life.run("lessons") == {"lessons": "failed"}
    life.change('word = "CITY"', 'word = "WHAT"')
    assert life.run("lessons") == {"lessons": "failed"}

    before = life.mlm("gc", "--json").json
    life.mlm("gc", "--yes")

    assert before["unfinished"] == 1
    assert before["bytes"] > 0
    assert len(list((life.folder / ".mlm" / "work").iterdir())) == 1


@pytest.mark.parametrize(
    ("lock", "busy"), [("run.lock", "a run is at work"), ("reconcile.lock", "a reconciliation is at work")]
)
def test_nothing_is_collected_while_something_works(littered: TrialProject, lock: str, busy: str) -> None:
    with locked(littered.folder / ".mlm" / lock, "never"):
        answer = littered.mlm("gc", "--yes")

    assert (answer.code, answer.error) == (1, f"Error: {busy} on {littered.folder}{os.sep}.mlm: wait for it to end")
    assert littered.mlm("gc", "--json").json["files"] == 1
