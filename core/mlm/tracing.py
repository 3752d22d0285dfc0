"""Each call of a hook on the error stream, with its arguments, its result and its time: `mlm --trace-hooks`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

TRACE = "MLM_TRACE_HOOKS"
"""Variable that turns it on, in the processes of isolated steps too."""
_LONGEST = 70


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
    """Show a value in a few words: an artifact by its ref, anything else by the beginning of its repr."""
    if ref := getattr(value, "ref", ""):
        return f"{type(value).__name__}({ref})"
    if callable(value) or " object at 0x" in repr(value):
        return type(value).__name__
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
