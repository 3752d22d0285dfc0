"""Which process runs an execution, so that a dead one's can be told from a live one's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path


def identity() -> dict[str, str]:
    """Name this process: its number, and when it started, because numbers are used again."""
    pid = os.getpid()
    return {"pid": str(pid), "process_started": _started(pid)}


def is_alive(identity: Mapping[str, str]) -> bool:
    """Say whether the process with that identity still runs on this machine."""
    pid = int(identity.get("pid") or 0)
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, under another user
    now = _read_start(pid)
    return not now or now == identity.get("process_started", now)


@cache
def _started(pid: int) -> str:
    return _read_start(pid)


def _read_start(pid: int) -> str:
    """Return boot and start time of a process, `ended` of a zombie; empty where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    # The command stands in brackets and may itself hold brackets and spaces; field 22 is the start time.
    state, *fields = stat.rpartition(")")[2].split()
    return "ended" if state == "Z" else f"{boot}:{fields[18]}"
