"""Each call of a hook on the error stream, with its arguments, its result and its time: `mlm --trace-hooks`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

TRACE = "MLM_TRACE_HOOKS"
"""Variable that turns it on, in the processes of isolated steps too."""
_LONGEST = 70
_SHOWN = ("mlm.events", "mlm.verdicts", "mlm.measures", "mlm.problem")
"""Modules of records whose values are shown."""


def traced(who: str, hook: str, arguments: Mapping[str, Any], call: Callable[[], Any]) -> Any:
    """Call a hook, and print a line when it returns or raises."""
    started = time.perf_counter()
    try:
        result = call()
    except BaseException as error:
        _tell(started, who, hook, arguments, f"raised {_short(error)}")
        raise
    _tell(started, who, hook, arguments, f"-> {_short(result)}")
    return result


def _tell(started: float, who: str, hook: str, arguments: Mapping[str, Any], ended: str) -> None:
    given = ", ".join(f"{name}={_short(value)}" for name, value in arguments.items() if name != "context")
    print(f"{time.perf_counter() - started:9.3f} s  {who}  {hook}({given}) {ended}", file=sys.stderr, flush=True)


def _short(value: Any) -> str:
    """Show mlm's own records and plain numbers in a few words; of anything else the type: it may hold a secret."""
    if ref := getattr(value, "ref", ""):
        return f"{type(value).__name__}({ref})"
    if isinstance(value, BaseException):
        return type(value).__name__ if not type(value).__module__.startswith("mlm") else _cut(f"{value}")
    if value is None or isinstance(value, (bool, int, float)) or type(value).__module__ in _SHOWN:
        return _cut(repr(value))
    if isinstance(value, (str, list, tuple, dict)):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
