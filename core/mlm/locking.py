"""One worker at a time on a registry; the system frees the lock when a process dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlm.errors import MlmError


@contextmanager
def locked(file: Path, busy: str) -> Iterator[None]:
    """Hold a lock file; MlmError that begins with `busy` where another process holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MlmError(f"{busy} on {file.parent}: wait for it to end") from None
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a registry still: nothing runs in it and nothing reconciles it meanwhile."""
    with (
        locked(folder / "reconcile.lock", "a reconciliation is at work"),
        locked(folder / "run.lock", "a run is at work"),
    ):
        yield
