"""Run the conformance kit on an installed plugin, and keep the answer for `mlm plugins`."""

from __future__ import annotations

import json
import os
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from attrs import asdict, field, frozen

from mlm.blaming import line_of
from mlm.code import code_files, file_digest
from mlm.context import Progress, silent
from mlm.discovery import PluginRef
from mlm.plugins import KINDS, Catalogue, implements
from mlm.structuring import structured


@frozen
class CheckResult:
    """How one check ended."""

    name: str
    outcome: Literal["passed", "failed", "untested"]
    demand: str
    seen: str = ""
    where: str = ""
    """File and line of the plugin's code that a failure is about."""


@frozen
class ConformanceReport:
    """What the kit said of one version of a plugin."""

    identity: str
    version: str
    results: tuple[CheckResult, ...]
    code: Mapping[str, str]
    """SHA-256 of each file of its code: a report on other code is none."""
    at: float = field(factory=time.time)

    @property
    def passed(self) -> int:
        return sum(result.outcome == "passed" for result in self.results)

    @property
    def untested(self) -> int:
        return sum(result.outcome == "untested" for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether nothing failed; what was not tested is no failure, and no pass."""
        return all(result.outcome != "failed" for result in self.results)


def conform(
    catalogue: Catalogue,
    ref: PluginRef,
    settings: Mapping[str, Any],
    folder: Path,
    progress: Progress = silent,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> ConformanceReport:
    """Run every check of a plugin's kind, each at a workbench of its own, and keep the report.

    Args:
        settings: Values as `mlm.toml` would give them; paths are relative to `folder`.
        rows: What data is made of; default: the kit's.
    """
    from mlm.testing import ROWS, Bench, Untested, checks_of

    cls = catalogue.load(ref)
    values = structured(cls, settings, ref.identity, folder)
    results = []
    checks = checks_of(ref.kind)
    for number, check in enumerate(checks):
        progress(number, len(checks), check.name)
        with tempfile.TemporaryDirectory() as place:
            try:
                check.run(Bench(ref.kind, cls, Path(place), lambda folder: values, rows or ROWS, ref=ref))
            except Untested as reason:
                results.append(CheckResult(check.name, "untested", check.demand, str(reason)))
            except (Exception, SystemExit) as error:
                seen = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
                where = _place(cls, ref.kind, error)
                results.append(CheckResult(check.name, "failed", check.demand, seen, where))
            else:
                results.append(CheckResult(check.name, "passed", check.demand))
    code = {str(file): file_digest(str(file)) for file in code_files(cls)}
    report = ConformanceReport(ref.identity, ref.version, tuple(results), code)
    _keep(ref, report)
    return report


def _place(cls: type[Any], kind: str, error: BaseException) -> str:
    """Return file and line where the plugin's code raised, or else where the hook that was found wrong begins."""
    own = {str(file) for file in code_files(cls)}
    raised = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in own]
    if raised:
        return f"{raised[-1].filename}:{raised[-1].lineno}"
    return line_of(cls, next((name for name in KINDS[kind] if implements(cls, name)), ""))


def kept(ref: PluginRef) -> ConformanceReport | None:
    """Return the newest report of this very code of a plugin; None where it was never checked."""
    try:
        told = json.loads(_file(ref).read_text(encoding="utf-8"))
        results = tuple(CheckResult(**result) for result in told.pop("results"))
        report = ConformanceReport(**told, results=results)
        same = all(file_digest(file) == digest for file, digest in report.code.items())
        return report if same else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _keep(ref: PluginRef, report: ConformanceReport) -> None:
    file = _file(ref)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
    os.replace(part, file)


def _file(ref: PluginRef) -> Path:
    """Return where a report lies: in the user's state (XDG base directories 0.8), by distribution and version."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "mlm" / "conformance" / f"{ref.distribution}-{ref.version}" / f"{ref.kind}-{ref.name}.json"
