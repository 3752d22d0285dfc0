"""Trainers to which something happens."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

from attrs import define

import mlm
from mlm_fakes.memory import stored


@define(kw_only=True)
class Failing:
    """Writes half of its model and raises, unless told otherwise."""

    mended: bool = mlm.setting(False, fingerprint=False, help="whether it works now")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        (context.folder / "half.bin").write_bytes(b"half")
        if not self.mended:
            raise RuntimeError("the loss is not a number")
        return stored({}, context.folder)


@define(kw_only=True)
class FullDisk:
    """Meets a full disk."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        (context.folder / "half.bin").write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "weights.bin")


@define(kw_only=True)
class Patient:
    """Writes a checkpoint, then waits for a file before it goes on."""

    go: str = mlm.setting(help="the file, relative to the project", fingerprint=False)

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        checkpoint = context.work / "checkpoint.txt"
        found = checkpoint.read_text(encoding="utf-8") if checkpoint.exists() else "nothing"
        checkpoint.write_text("step 1", encoding="utf-8")
        never = threading.Event()
        while not Path(context.project, self.go).exists():
            never.wait(0.01)
        return stored({"resumed from": found}, context.folder)


@define(kw_only=True)
class Unsteady:
    """Learns by heart, and makes something else of it each time: its bytes, or its answers."""

    answers: bool = mlm.setting(False, help="whether the answers differ too")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        now = str(time.time_ns())
        (context.folder / "made.txt").write_text(now)
        known = {row["prompt"]: row["completion"] for row in data.rows()}
        return stored(dict.fromkeys(known, now) if self.answers else known, context.folder)


@define(kw_only=True)
class Untyped:
    """Breaks its word: gives a path where a model is due."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> Any:
        return str(context.folder)


@define(kw_only=True)
class NeedsPeople:
    """Waits for people who label."""

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        raise mlm.Waiting(f"{data.num_rows} rows need labels")


@define(kw_only=True)
class Keyed:
    """Needs a secret."""

    key: mlm.Secret = mlm.setting(help="token of a service")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        return stored({"length of the key": str(len(context.secret(self.key)))}, context.folder)
