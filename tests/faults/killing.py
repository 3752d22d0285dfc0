"""Kills a process in the middle of a verb, at a chosen line of the product's code or after a chosen time.

Run as a script, it imports what the verbs need once, then reads orders from standard input, a JSON object a line, and
forks a child for each: so 300 kills do not start 300 interpreters.

    {"folder": ..., "verb": ["run"]}                    let it end
    {"folder": ..., "verb": ["run"], "line": 0}         let it end, and count the lines of the product that ran
    {"folder": ..., "verb": ["run"], "line": 120}       kill -9 when the 120th line of the product is reached
    {"folder": ..., "verb": ["run"], "seconds": 0.02}   kill -9 after that time, wherever it is

It answers {"lines": ..., "signal": 9 or 0, "code": exit code or null, "seconds": ...}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

PRODUCT = ("mlm_registry", f"core{os.sep}mlm{os.sep}")
USED = ("mlm.cli.run_command", "mlm.control", "mlm.curation", "mlm.gates", "pyarrow.compute", "pyarrow.parquet")
"""What the verbs import is imported before the forks; nothing of it starts a thread then."""


class _Lines:
    """Counts the lines of the product that run in this process, and kills it at one of them."""

    def __init__(self, deadly: int) -> None:
        self.count, self._deadly = 0, deadly

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not any(part in frame.f_code.co_filename for part in PRODUCT):
            return None
        if event == "line":
            self.count += 1
            if self.count == self._deadly:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def _perform(order: dict[str, Any], answer: int) -> None:
    """Run a verb of the command line in this (forked) process, and tell how many lines it took."""
    from mlm.cli.main import main

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    lines = _Lines(order.get("line", 0))
    if "line" in order:
        sys.settrace(lines.trace)
    code: Any = 0
    try:
        main(["-C", order["folder"], *order["verb"]])
    except SystemExit as left:
        code = left.code
    sys.settrace(None)
    os.write(answer, json.dumps({"lines": lines.count}).encode())
    os._exit(code if isinstance(code, int) else 0)


def _fork(order: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _perform(order, writing)
    os.close(writing)
    if "seconds" in order:
        # A child that has ended keeps its number until it is waited for, so nobody else is killed.
        time.sleep(order["seconds"])
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    told = os.read(reading, 1000)
    os.close(reading)
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = None if killed else os.WEXITSTATUS(status)
    return {
        "lines": 0,
        **json.loads(told or b"{}"),
        "signal": killed,
        "code": code,
        "seconds": time.monotonic() - started,
    }


def _serve() -> None:
    for module in USED:
        import_module(module)
    sys.path.insert(0, str(Path(__file__).parents[1] / "plugins_for_tests"))
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)


if __name__ == "__main__":
    _serve()
