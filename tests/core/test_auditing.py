"""`mlm audit verify` says whether anybody touched the registry, and names what was touched."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest
from trial import TrialProject

from mlm_registry import Exchange


@pytest.fixture
def lived(life: TrialProject) -> TrialProject:
    life.deploy()
    return life


def edit(project: TrialProject, sql: str, file: str = "registry.db") -> None:
    with closing(sqlite3.connect(project.folder / ".mlm" / file, isolation_level=None)) as connection:
        assert connection.execute(sql).rowcount > 0


def test_an_untouched_registry_is_whole_and_its_head_can_be_written_down(lived: TrialProject) -> None:
    done = lived.mlm("audit", "verify", "--objects")

    with lived.registry() as registry:
        assert registry.audit.events(limit=1)[0].digest in done.out
    assert done.code == 0
    assert "the audit log is whole" in done.out
    assert " objects hashed" in done.out


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE executions SET seed = 99 WHERE id = 1", "executions 1 was edited"),
        ("UPDATE nodes SET digest = 'f' WHERE id = 1", "nodes 1 was edited"),
        ("UPDATE aliases SET node = node - 1", "aliases 1 was edited"),
        ("UPDATE events SET \"by\" = 'nobody' WHERE id = 2", "the audit log was touched at row 2"),
        ("UPDATE seals SET digest = x'00' WHERE id = 3", "seals 3 was edited"),
        ("DELETE FROM seals WHERE id = 3", "seals 3 is missing"),
        ("DELETE FROM seals WHERE id = (SELECT max(id) FROM seals)", "is missing"),
        ("DELETE FROM edges WHERE role = 'model'", "is missing"),
        ("INSERT INTO metrics VALUES (999, 'loss', 1, 0.5)", "metrics 999, loss, 1 belongs to nothing"),
    ],
)
def test_what_was_done_with_the_sqlite3_shell_is_named(lived: TrialProject, sql: str, named: str) -> None:
    edit(lived, sql)

    done = lived.mlm("audit", "verify")

    assert done.code == 1
    assert named in done.err


def test_an_answer_that_was_rewritten_is_named(lived: TrialProject) -> None:
    with lived.registry() as registry:
        node = registry.node("chat").id
        registry.exchanges.record([Exchange("e-1", "api", 1, node, "chat", 1.0, {}, "who?", "Ana")])
    edit(lived, "UPDATE exchanges SET response = 'Bo'", "exchanges.db")

    answer = lived.mlm("audit", "verify", "--json")

    assert (answer.code, answer.json["ok"]) == (1, False)
    assert answer.json["touched"] == [{"table": "exchanges", "key": "e-1", "what": "was edited"}]


@pytest.mark.parametrize("loss", ["deleted", "emptied", "replaced", "shorter"])
def test_exchanges_that_are_gone_are_named(lived: TrialProject, loss: str) -> None:
    file, backup = lived.folder / ".mlm" / "exchanges.db", lived.folder / "exchanges.db"
    lived.visit(lived.lessons())
    with closing(sqlite3.connect(file)) as connection, closing(sqlite3.connect(backup)) as copy:
        connection.backup(copy)
    lived.visit(lived.lessons())
    assert lived.mlm("promote", "chat", "--reason", "again").code == 0
    assert lived.mlm("audit", "verify").code == 0

    for name in ("exchanges.db", "exchanges.db-wal", "exchanges.db-shm"):
        (file.parent / name).unlink(missing_ok=True)
    if loss == "emptied":
        assert lived.mlm("responses").code == 0
    if loss == "replaced":
        lived.visit(lived.lessons(), times=3)
    if loss == "shorter":
        backup.replace(file)

    answer = lived.mlm("audit", "verify", "--json")

    assert answer.code == 1
    [lost] = answer.json["touched"]
    assert (lost["table"], lost["what"]) == ("exchanges", "are missing")
    assert lost["key"].startswith("recorded until 20")


def test_exchanges_that_were_erased_or_came_after_a_decision_are_not_missed(lived: TrialProject) -> None:
    lived.visit(lived.lessons())
    assert lived.mlm("promote", "chat").code == 0
    lived.visit(lived.lessons())
    with lived.registry() as registry:
        registry.exchanges.erase(registry.exchanges.ids()[:70])

    assert lived.mlm("audit", "verify").out.startswith("the audit log is whole")


def test_a_file_of_exchanges_that_cannot_be_read_stops_no_recall(lived: TrialProject) -> None:
    lived.visit(lived.lessons())
    (lived.folder / ".mlm" / "exchanges.db-wal").unlink(missing_ok=True)
    (lived.folder / ".mlm" / "exchanges.db").write_bytes(b"no database " * 400)

    with lived.registry() as registry:
        registry.recalls.add("chat", [registry.node("chat").id], by="ana", reason="it lies")

    with lived.registry() as registry:
        assert registry.recalls.recalled([registry.node("chat").id])


def test_a_flipped_byte_is_named_with_its_file(lived: TrialProject) -> None:
    with lived.registry() as registry:
        digest = registry.node("chat").digest
        [file] = registry.objects.path(digest).iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    os.chmod(file, 0o644)
    file.write_bytes(content)

    assert lived.mlm("audit", "verify").code == 0
    answer = lived.mlm("audit", "verify", "--objects", "--json")

    assert answer.code == 1
    assert [digest in line and file.name in line for line in answer.json["damaged"]] == [True]
