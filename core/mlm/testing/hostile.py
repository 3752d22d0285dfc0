"""A guard and megabytes of text that is made to be slow, in a process that can be ended.

A pattern that backtracks for ever hears of no interruption; the system ends its process when its time is up.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import pickle
import resource
import signal
import subprocess
import sys
import time
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from mlm.calls import Plugin
from mlm.discovery import PluginRef
from mlm.probing import same_modules
from mlm.testing.bench import Bench
from mlm.testing.checking import Broken, Untested

PIECES = ("a", "@", "a@", "1 ", "(((", "\u0301", "é" * 3 + " ", "4111 1111 1111 1111 ", "x" * 99 + "\n")
"""What the texts are made of, over and over."""
_MEGABYTE = 1_000_000
_PATIENCE = 4
"""How much longer than its own work a guard may take, on a machine that others use too."""


def slow_piece(bench: Bench, seconds: float) -> str | None:
    """Return a piece of which a guard cannot judge a megabyte in so many seconds of CPU; None where it judges all.

    Raises:
        Broken: It raises, or ends the process.
        Untested: It cannot be brought into another process.
    """
    if bench.engine_of is not None:
        raise Untested("its engine cannot be brought into a process of its own")
    try:
        configured = pickle.dumps(bench.plugin().instance)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Untested(f"it cannot be brought into a process of its own: {error}") from error
    task = (bench.cls.__module__, inspect.getfile(bench.cls), configured, str(bench.context().folder), seconds)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mlm.testing.hostile"],
        input=pickle.dumps(task), capture_output=True, env=same_modules(), check=False,
    )  # fmt: skip
    begun = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b'"')]
    if done.returncode == 0:
        return None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGALRM) and begun:
        return str(begun[-1])
    last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing was said"])[-1]
    if not begun:
        raise Untested(f"it cannot be brought into a process of its own: {last}")
    raise Broken(f"a megabyte of {begun[-1]!r} ends its process with code {done.returncode}: {last}")


def main() -> None:
    """Judge a megabyte of each piece; what takes too long ends this process."""
    module, file, configured, folder, seconds = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by slow_piece
    _import(module, file)
    instance = pickle.loads(configured)  # noqa: S301
    context = Bench("guards", type(instance), Path(folder)).context()
    guard = Plugin(PluginRef("guards", "", "under-test", "0", ""), instance).guard(context)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for piece in PIECES:
        print(json.dumps(piece), flush=True)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds)
        asyncio.run(guard.judge((piece * (_MEGABYTE // len(piece) + 1))[:_MEGABYTE], "prompt"))


def _import(module: str, file: str) -> None:
    """Import the plugin's module by its name, or from its file: tests are no package."""
    try:
        import_module(module)
    except ImportError:
        spec = spec_from_file_location(module, file)
        if spec is None or spec.loader is None:
            raise
        sys.modules[module] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[module])


if __name__ == "__main__":
    main()
