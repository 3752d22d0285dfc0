"""The reference page of `mlm.testing`: the conformance kit, and what tests of one's own have at hand."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator

from reference_objects import described, described_function
from reference_parts import one_line, table_of

import mlm.testing
from mlm.plugins import KINDS
from mlm.scaffold import CLASSES


def testing() -> Iterator[str]:
    """Yield the page of `mlm.testing`."""
    yield "# mlm.testing"
    yield inspect.getdoc(mlm.testing) or ""
    yield "[Test a plugin](../how-to/test-a-plugin.md) shows both at work; [Kinds](kinds.md) lists the checks."
    yield from described(mlm.testing.Conformance, "Conformance")
    yield "A class for each kind has all of these:"
    yield table_of(["class", "what it does", "its checks"], [_of_kind(kind) for kind in KINDS])
    yield from described(mlm.testing.Bench, "Bench")
    yield from described(mlm.testing.ScriptedEngine, "ScriptedEngine")
    yield "## ROWS"
    yield "The rows that data is made of, where a test brings none of its own. The first of them:"
    yield f"```json\n{json.dumps(mlm.testing.ROWS[0], indent=2)}\n```"
    yield "Of a `prompt`, `completion` is the right answer, and `rejected` a wrong one."
    yield from described_function(mlm.testing.read_rows)
    yield from described_function(mlm.testing.checks_of)
    for record in (mlm.testing.Check, mlm.testing.Broken, mlm.testing.Untested):
        yield from described(record, record.__name__)


def _of_kind(kind: str) -> list[str]:
    name = f"{CLASSES[kind]}Conformance"
    return [f"`{name}`", one_line(inspect.getdoc(getattr(mlm.testing, name)) or ""), f"[{kind}](kinds.md#{kind})"]
