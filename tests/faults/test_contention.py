"""Many processes on one registry: every write is there, nobody is told of a lock, and readers wait for nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mlm_registry import Execution, Node, Registry

WRITERS, WRITES, READERS = 8, 1_000, 2
WRITE = """
import pathlib, sys
from mlm_registry import Execution, Node, Registry
folder, name, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Registry.open(folder) as registry:
    for number in range(count):
        execution = Execution(step=name, stage="training", run=name, plugin="p", settings={"number": number})
        registry.finish(execution, outputs=[Node(name, "model", "0" * 64), Node("shared", "model", "0" * 64)])
        if number % 10 == 0:
            registry.audit.append("made", name, by=name)
"""
READ = """
import json, pathlib, sys
from mlm_registry import Registry
looks, fewest, last = 0, True, 0
with Registry.open(pathlib.Path(sys.argv[1])) as registry:
    while not pathlib.Path(sys.argv[2]).exists():
        nodes = registry.nodes(name="shared")
        # Versions count from 1 without a hole: a reader sees a whole number of transactions.
        fewest = fewest and [n.version for n in nodes] == list(range(len(nodes), 0, -1)) and len(nodes) >= last
        looks, last = looks + 1, len(nodes)
        registry.audit.verify() if looks % 20 == 0 else None
print(json.dumps({"looks": looks, "whole": fewest}))
"""


def process(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.heavy
def test_eight_processes_write_a_thousand_times_each_and_nothing_is_lost(tmp_path: Path) -> None:
    folder, done = tmp_path / ".mlm", tmp_path / "done"
    Registry.open(folder).close()
    readers = [process(READ, folder, done) for _ in range(READERS)]
    writers = [process(WRITE, folder, f"writer{number}", str(WRITES)) for number in range(WRITERS)]

    said = [writer.communicate()[1] for writer in writers]
    done.touch()
    looks = [json.loads(reader.communicate()[0]) for reader in readers]

    assert said == [""] * WRITERS
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert all(look["whole"] for look in looks)
    with Registry.open(folder) as registry:
        counts = {name: len(registry.nodes(name=name)) for name in ("shared", *(f"writer{n}" for n in range(WRITERS)))}
        assert counts == {"shared": WRITERS * WRITES} | {f"writer{n}": WRITES for n in range(WRITERS)}
        assert registry.audit.verify().ok
    print(f"tried: {WRITERS} x {WRITES} writes beside {sum(look['looks'] for look in looks)} reads; lost: 0")


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    with Registry.open(tmp_path) as writing, Registry.open(tmp_path) as reading:
        writing.finish(Execution("s", "training", "r", "p"), outputs=[Node("chat", "model", "0" * 64)])
        # A reader that had to wait would fail at once.
        reading.database.connection.execute("PRAGMA busy_timeout = 0")
        with writing.transaction():
            writing.finish(Execution("s", "training", "r", "p"), outputs=[Node("chat", "model", "0" * 64)])

            assert reading.node("chat").ref == "chat@1"
            assert reading.audit.verify().ok

        assert reading.node("chat").ref == "chat@2"


def test_exchanges_are_recorded_while_a_transaction_of_the_command_line_is_open(tmp_path: Path) -> None:
    with Registry.open(tmp_path) as command, Registry.open(tmp_path) as gateway, command.transaction():
        gateway.exchanges.database.connection.execute("PRAGMA busy_timeout = 0")
        gateway.exchanges.record([])
        with closing(gateway.exchanges.database.connection.execute("BEGIN IMMEDIATE")):
            gateway.exchanges.database.connection.execute("COMMIT")
