"""Opening, migrating, and writing from many places at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest

from mlm_registry import Corrupt, Execution, NewerRegistry, Node, NotFound, Registry, RegistryError
from mlm_registry.database import Database
from mlm_registry.schema import MIGRATIONS

Make = Callable[..., Node]

WRITES_FIFTY = """
import pathlib, sys
from mlm_registry import Execution, Node, Registry
with Registry.open(pathlib.Path(sys.argv[1])) as registry:
    for _ in range(50):
        started = registry.start(Execution(step="s", stage="s", run=sys.argv[2], plugin="p"))
        registry.finish(started, outputs=[Node("chat", "model", "0" * 64)])
        registry.audit.append("made", "chat", by=sys.argv[2])
"""


def run(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-W", "error", "-c", code, *arguments])


def test_importing_and_opening_a_registry_is_light(registry: Registry) -> None:
    code = (
        "import sys, pathlib; from mlm_registry import Registry; Registry.open(pathlib.Path(sys.argv[1])).close();"
        "sys.exit(str({'sqlite_utils', 'pandas', 'numpy', 'cattrs'} & set(sys.modules) or ''))"
    )

    done = subprocess.run([sys.executable, "-c", code, str(registry.folder)], check=False, capture_output=True)

    assert done.stderr.strip() == b""


def test_two_processes_write_at_once_and_no_version_is_lost(tmp_path: Path) -> None:
    # Neither finds a registry, so they race to make it too.
    writers = [run(WRITES_FIFTY, str(tmp_path / ".mlm"), name) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]

    with Registry.open(tmp_path / ".mlm") as registry:
        assert list(range(100, 0, -1)) == [node.version for node in registry.nodes(name="chat")]
        assert (registry.audit.verify().ok, registry.audit.verify().rows) == (True, 100)


def test_threads_write_at_once(registry: Registry) -> None:
    def write() -> None:
        for _ in range(20):
            registry.finish(Execution("s", "s", "r", "p"), outputs=[Node("chat", "model", "0" * 64)])

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(registry.nodes(name="chat")) == 80


def test_a_forked_child_writes_over_a_connection_of_its_own(registry: Registry, make: Make) -> None:
    make()

    child = get_context("fork").Process(target=make)
    child.start()
    child.join()

    assert child.exitcode == 0
    assert make().ref == "chat@3"
    assert registry.database.query("PRAGMA integrity_check") == [("ok",)]


def test_a_transaction_holds_the_write_lock_from_its_start(registry: Registry) -> None:
    # Taken at the first write instead, the lock could be lost to another writer after a version was read.
    with closing(sqlite3.connect(registry.folder / "registry.db", isolation_level=None, timeout=0)) as other:
        with registry.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


def test_an_outer_transaction_stores_all_or_nothing(registry: Registry, make: Make) -> None:
    def make_and_fail() -> None:
        with registry.transaction():
            make()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_and_fail()

    assert registry.nodes() == []
    assert make().version == 1


def test_a_failed_inner_part_undoes_itself_only(registry: Registry, make: Make) -> None:
    with registry.transaction():
        kept = make("kept", "dataset")
        with pytest.raises(RegistryError):
            registry.finish(Execution("s", "s", "r", "p"), outputs=[Node("x", "model", "0")], inputs=[("data", 99, "")])

    assert [kept] == registry.nodes()
    assert len(registry.executions()) == 1


@pytest.mark.parametrize("outer", [False, True])
def test_a_durable_transaction_restores_the_setting(registry: Registry, outer: bool) -> None:
    with registry.transaction(durable=outer), registry.transaction(durable=True) as connection:
        assert [(2,) if outer else (1,)] == connection.execute("PRAGMA synchronous").fetchall()

    assert registry.database.query("PRAGMA synchronous") == [(1,)]


def test_the_data_version_moves_when_another_connection_writes(registry: Registry) -> None:
    before = registry.data_version()
    assert before == registry.data_version()

    with Registry.open(registry.folder) as other:
        other.start(Execution("s", "s", "r", "p"))

    assert before != registry.data_version()


def test_an_old_registry_is_migrated_and_keeps_its_rows(tmp_path: Path) -> None:
    old = Database(tmp_path / "registry.db", MIGRATIONS[:1])
    with old.transaction() as connection:
        connection.execute("INSERT INTO executions (id, step, settings, environment) VALUES (1, 'old', '{}', '{}')")
    old.close()

    with Registry.open(tmp_path, create=False) as registry:
        assert registry.execution(1).step == "old"
        assert registry.seals.touched() == []
        assert [(len(MIGRATIONS),)] == registry.database.query("PRAGMA user_version")
        assert registry.models.versions() == []


def test_edges_and_recalls_of_an_old_registry_stay(tmp_path: Path) -> None:
    old = Database(tmp_path / "registry.db", MIGRATIONS[:2])
    with old.transaction() as connection:
        connection.execute("INSERT INTO executions (id, step, settings, environment) VALUES (1, 'old', '{}', '{}')")
        connection.executemany(
            "INSERT INTO nodes (id, name, kind, digest, version, execution, metadata)"
            " VALUES (?, ?, ?, 'd', 1, 1, '{}')",
            [(1, "facts", "dataset"), (2, "chat", "model")],
        )
        connection.execute("INSERT INTO edges (source, target, role, position) VALUES (1, 2, 'data', 0)")
        connection.execute("INSERT INTO recalls (node, \"by\", reason, at) VALUES (1, 'ana', 'poisoned', 5.0)")
    old.close()

    with Registry.open(tmp_path, create=False) as registry:
        assert [("data", registry.node("facts"), "")] == registry.inputs(registry.node("chat"))
        assert registry.recalls.recalled([1, 2]) == {1}
        [recall] = registry.recalls.standing()
        assert (recall.subject, recall.nodes, recall.by, recall.reason) == ("facts@1", (1,), "ana", "poisoned")


def test_a_migration_that_fails_leaves_the_old_registry(tmp_path: Path) -> None:
    def fails(database: object) -> None:
        database.execute("CREATE TABLE half (id INTEGER)")  # type: ignore[attr-defined]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Database(tmp_path / "registry.db", [*MIGRATIONS[:1], fails])

    reopened = Database(tmp_path / "registry.db", MIGRATIONS[:1])
    assert reopened.query("SELECT 1 FROM sqlite_master WHERE name = 'half'") == []
    reopened.close()


def test_a_newer_registry_is_refused(registry: Registry) -> None:
    with registry.transaction() as connection:
        connection.execute("PRAGMA user_version = 999")

    with pytest.raises(NewerRegistry, match=r"schema 999.*upgrade mlm"):
        Registry.open(registry.folder)


def test_a_file_of_garbage_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"this is not a database" * 100)

    with pytest.raises(Corrupt, match=r"registry\.db is not a readable registry .* restore a backup"):
        Registry.open(tmp_path)


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()

    with pytest.raises(Corrupt, match="a SQLite file but no mlm registry"):
        Registry.open(tmp_path)
    assert before == path.read_bytes()


def test_a_missing_registry_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no registry in"):
        Registry.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_a_full_disk_is_one_plain_line_and_stores_nothing(registry: Registry, make: Make) -> None:
    make()
    [(pages,)] = registry.database.query("PRAGMA page_count")
    registry.database.query(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(RegistryError, match=r"no space left .* nothing was recorded; free some space"):
        registry.start(Execution("s", "s", "r", "p", settings={"text": "x" * 10**6}))

    registry.database.query("PRAGMA max_page_count = 1000000")
    assert len(registry.executions()) == 1


def test_a_busy_registry_is_one_plain_line(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.database.query("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(registry.folder / "registry.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RegistryError, match="is busy: another process held it"):
            registry.start(Execution("s", "s", "r", "p"))


def test_a_closed_registry_says_so(registry: Registry) -> None:
    registry.close()

    with pytest.raises(RegistryError, match="closed"):
        registry.nodes()
