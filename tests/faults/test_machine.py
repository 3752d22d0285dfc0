"""A full disk, a port in use, a registry that cannot be read."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from trial import TrialProject

from mlm_registry.blobs import Blobs


def test_a_full_disk_in_a_plugin_fails_the_step_and_keeps_the_rest(sound: TrialProject) -> None:
    sound.change('"memory"', '"full-disk"')

    answer = sound.mlm("run", "--json")

    assert answer.code == 1
    [chat] = [one for one in answer.json["steps"] if one["name"] == "chat"]
    assert chat["error"] == "no space left on device while writing weights.bin: free some and run again"
    assert sound.refs() == {"lessons@1"}
    assert sound.left_over() == []


def test_a_full_disk_in_the_object_store_leaves_no_node(sound: TrialProject, monkeypatch: pytest.MonkeyPatch) -> None:
    sound.run("lessons")

    def full(self: Blobs, chunks: object, *others: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Blobs, "write", full)
    answer = sound.mlm("run", "--json")

    assert answer.code == 1
    [chat] = [one for one in answer.json["steps"] if one["name"] == "chat"]
    assert chat["status"] == "failed"
    assert "space" in chat["error"]
    assert sound.refs() == {"lessons@1"}
    assert sound.left_over() == []

    monkeypatch.undo()
    assert sound.ran() == {"chat", "quality"}


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_is_said_in_one_line(sound: TrialProject, taken: int) -> None:
    sound.change("port = 0", f"port = {taken}")
    sound.run()
    assert sound.mlm("promote", "chat").code == 0
    assert sound.mlm("deploy").code == 0

    answer = sound.mlm("serve", "api")

    assert (answer.code, answer.error) == (
        1, f"Error: port {taken} on 127.0.0.1 is in use; stop what listens there, or set another port",
    )  # fmt: skip


def test_serving_before_anything_is_deployed_says_what_to_do(sound: TrialProject) -> None:
    assert sound.mlm("serve", "api").error == (
        "Error: 'api' has nothing to serve yet: mlm promote chat, then mlm deploy"
    )


def database(project: TrialProject) -> Path:
    return project.folder / ".mlm" / "registry.db"


@pytest.mark.parametrize("command", ["status", "run", "plan"])
def test_a_corrupt_registry_is_said_and_left_alone(sound: TrialProject, command: str) -> None:
    (sound.folder / ".mlm").mkdir()
    rubbish = b"this is no database " * 300
    database(sound).write_bytes(rubbish)

    answer = sound.mlm(command)

    assert answer.code == 1
    assert answer.error.startswith(f"Error: {database(sound)} is not a readable registry (")
    assert answer.error.endswith("; restore a backup, or move it away and run again")
    assert database(sound).read_bytes() == rubbish


def test_another_database_in_its_place_is_no_registry(sound: TrialProject) -> None:
    (sound.folder / ".mlm").mkdir()
    with sqlite3.connect(database(sound)) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()

    assert sound.mlm("status").error == (
        f"Error: {database(sound)} is a SQLite file but no mlm registry; move it away and run again"
    )


def test_a_registry_of_a_newer_mlm_is_not_touched(sound: TrialProject) -> None:
    sound.run("lessons")
    with sqlite3.connect(database(sound)) as newer:
        newer.execute("PRAGMA user_version = 999")
    newer.close()

    answer = sound.mlm("run")

    assert answer.code == 1
    assert answer.error.startswith(f"Error: {database(sound)} has schema 999, this mlm knows up to ")
    assert answer.error.endswith("; upgrade mlm")


def test_an_audit_log_that_was_touched_is_found(sound: TrialProject) -> None:
    sound.run()
    assert sound.mlm("promote", "chat").code == 0
    assert sound.mlm("audit", "verify").code == 0
    with sqlite3.connect(database(sound)) as intruder:
        for (trigger,) in intruder.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            intruder.execute(f"DROP TRIGGER {trigger}")
        intruder.execute("""UPDATE events SET "by" = 'nobody' WHERE id = 2""")
    intruder.close()

    answer = sound.mlm("audit", "verify")

    assert answer.code == 1
    assert answer.error.startswith("the audit log was touched at row 2: ")
