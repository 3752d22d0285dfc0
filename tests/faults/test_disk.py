"""A disk that is full, or read-only: one clear line, nothing half-written, and the work goes on when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from trial import TrialProject

Disk = Callable[[str], None]
SIZES_KB = (24, 100, 160, 220, 260, 300, 360, 420, 480, 520, 560, 600, 640, 700, 800, 1000)
"""From too small for a database to enough for all but the last bytes of a run."""


@pytest.fixture
def disk(sound: TrialProject) -> Iterator[Disk]:
    """Put the registry of the project on a small disk of its own; the function that is given changes its options."""
    place = sound.folder / ".mlm"
    place.mkdir()
    if os.geteuid() or _mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", place):
        pytest.skip("only root can mount a small disk, and not in every container")

    def remount(options: str) -> None:
        assert _mount("-o", f"remount,{options}", place) == 0

    yield remount
    subprocess.run(["umount", place], check=True)


def _mount(*arguments: str | Path) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode


def test_a_run_on_a_full_disk_says_so_and_ends_when_there_is_room(sound: TrialProject, disk: Disk) -> None:
    refused = []
    for size in SIZES_KB:
        disk(f"size={size}k")
        answer = sound.mlm("run", "--json")
        if answer.code == 0:
            break
        refused.append(size)
        told = answer.err + answer.out
        assert "no space left" in told, told
        assert "Traceback" not in told
        assert sound.left_over() == []

    disk("size=64m")
    assert refused, "every size was enough: the sizes are no test"
    assert set(sound.run()) == {"lessons", "chat", "quality"}
    assert set(sound.run().values()) == {"cached"}
    with sound.registry() as registry:
        assert registry.database.query("PRAGMA integrity_check") == [("ok",)]
        assert registry.audit.verify().ok
        for node in registry.nodes():
            registry.objects.check(node.digest)
    print(f"tried: disks of {', '.join(map(str, refused))} kB; lost: nothing")


def test_a_read_only_disk_is_said_in_one_line(sound: TrialProject, disk: Disk) -> None:
    sound.run("lessons")
    disk("ro")

    answer = sound.mlm("run")

    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert len(answer.err.splitlines()) == 1, answer.err
    disk("rw")
    assert sound.run()["chat"] == "ran"


def test_a_project_that_cannot_be_written_can_be_read(sound: TrialProject, disk: Disk) -> None:
    sound.run()
    disk("ro")

    page = str(sound.folder / "life.html")
    commands = (
        "status",
        "plan",
        "data show lessons",
        "card lessons",
        "trace chat",
        "audit verify",
        f"report -o {page}",
    )
    told = {command: sound.mlm(*command.split()) for command in commands}
    sound.change("[problem]", "[problem]\nowner = 'eve'")
    refused = sound.mlm("promote", "chat", "--to", "production")
    disk("rw")

    assert {command: answer.err for command, answer in told.items() if answer.code} == {}
    assert "the audit log is whole" in told["audit verify"].out
    assert refused.error.endswith(
        "cannot be written (attempt to write a readonly database); check its folder's permissions"
    )
    sound.run()
