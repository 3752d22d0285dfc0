"""Checks, triggers and policies."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from attrs import define

import mlm


@define(kw_only=True)
class Nod:
    """Agrees, once it has seen the candidate's scores."""

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate) -> mlm.Verdict:
        known = f"{len(candidate.scores)} scores, {len(candidate.gates)} gates"
        return mlm.Verdict("pass" if candidate.scores else "fail", "nod", f"{candidate.version.node.ref}: {known}")


@define(kw_only=True)
class Unsure:
    """Cannot say."""

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate) -> mlm.Verdict:
        return mlm.Verdict("inconclusive", "unsure", "cannot say")


@define(kw_only=True)
class CrashingCheck:
    """Divides by zero."""

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate) -> mlm.Verdict:
        return mlm.Verdict("pass", "never", str(1 / 0))


@define(kw_only=True)
class CrashingTrigger:
    """Divides by zero."""

    @mlm.hookimpl
    def mlm_assess(self, version: mlm.Living) -> mlm.Verdict:
        return mlm.Verdict("fail", "never", str(1 / 0))


@define(kw_only=True)
class Merciless:
    """Retires whatever serves nobody."""

    @mlm.hookimpl
    def mlm_assess(self, version: mlm.Living) -> mlm.Verdict:
        return mlm.Verdict("pass" if version.share else "fail", "merciless", "serves nobody")


@define(kw_only=True)
class Diary:
    """Writes down every step that it hears of."""

    file: Path = mlm.setting(help="where to")

    @mlm.hookimpl
    def mlm_observe(self, event: mlm.StepEvent) -> None:
        with self.file.open("a", encoding="utf-8") as diary:
            diary.write(f"{event.step} {event.status}\n")


@define(kw_only=True)
class Stamp:
    """Wraps training, and leaves a stamp in what was trained."""

    @mlm.hookimpl(wrapper=True)
    def mlm_train(self, context: mlm.Context) -> Generator[None, mlm.Model, mlm.Model]:
        model = yield
        (context.folder / "stamp.txt").write_text("stamped", encoding="utf-8")
        return model


@define(kw_only=True)
class CrashingObserver:
    """Divides by zero."""

    @mlm.hookimpl
    def mlm_observe(self, event: mlm.StepEvent) -> None:
        _ = 1 / 0
