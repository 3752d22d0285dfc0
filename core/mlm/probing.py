"""Import a plugin in a process of its own, and say what that took, what it has, and what is wrong with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from attrs import asdict, evolve, frozen

from mlm.context import Progress, silent
from mlm.deprecating import deprecations
from mlm.discovery import PluginRef
from mlm.errors import PluginError
from mlm.plugins import Catalogue, api_of, implemented

HEAVY = (
    "torch", "transformers", "datasets", "trl", "tensorflow", "jax", "pandas", "pyarrow", "numpy", "scipy", "sklearn",
    "onnx", "onnxruntime", "tensorrt", "starlette", "uvicorn",
)  # fmt: skip
"""Libraries that belong inside a hook, not at the top of a plugin's module."""
_SECONDS = 120.0
_SLOW_SECONDS = 1.0


@frozen
class Examined:
    """What came out when a plugin was imported by itself."""

    identity: str
    version: str
    ok: bool
    seconds: float = 0.0
    """To import it, without Python and mlm themselves."""
    heavy: tuple[str, ...] = ()
    """Large libraries that came with it."""
    hooks: tuple[str, ...] = ()
    api: int = 0
    """Version of the plugin interface that it was written for; 0 where it could not be read."""
    problem: str = ""
    notes: tuple[str, ...] = ()
    """What works and should be better: a slow import, what is deprecated."""


def examine(catalogue: Catalogue, refs: Sequence[PluginRef], progress: Progress = silent) -> list[Examined]:
    """Import each plugin alone, several at a time; one that hangs or dies harms nobody."""
    found: dict[PluginRef, Examined] = {}
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        waiting = {pool.submit(_examined, catalogue, ref): ref for ref in refs}
        for done in as_completed(waiting):
            found[waiting[done]] = done.result()
            progress(len(found), len(refs), waiting[done].identity)
    finally:
        pool.shutdown(cancel_futures=True)
    return [found[ref] for ref in refs]


def _examined(catalogue: Catalogue, ref: PluginRef) -> Examined:
    unseen = Examined(ref.identity, ref.version, False)
    state, reason = catalogue.state(ref)
    if state in ("denied", "lacks"):
        return evolve(unseen, problem=f"{state} {reason}")
    # -P: what lies in the present folder is no module.
    command = [sys.executable, "-P", "-m", "mlm.probing", json.dumps(asdict(ref))]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=same_modules()
        )
    except subprocess.TimeoutExpired:
        return evolve(unseen, problem=f"its import takes more than {_SECONDS:g} seconds")
    if done.returncode < 0:
        return evolve(unseen, problem=f"its import ends the process with signal {-done.returncode}")
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        return evolve(unseen, problem=f"its import ends the process with code {done.returncode}: {last}")
    problem = told["problem"] or (f"conflict: {reason}" if state == "conflict" else "")
    return evolve(
        unseen,
        ok=not problem,
        seconds=told["seconds"],
        heavy=tuple(told["heavy"]),
        hooks=tuple(told["hooks"]),
        api=told["api"],
        problem=problem,
        notes=tuple(told["notes"]),
    )


def same_modules() -> dict[str, str]:
    """Return an environment in which a process imports what this one would."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def main(text: str) -> None:
    """Import one plugin in this process, and print what was found."""
    told = json.loads(text)
    ref = PluginRef(**{**told, "extras": tuple(told["extras"]), "missing": tuple(told["missing"])})
    before, started = set(sys.modules), time.perf_counter()
    hooks: list[str] = []
    notes: list[str] = []
    problem, api = "", 0
    try:
        cls = Catalogue((ref,)).load(ref)
        hooks, api, notes = implemented(cls), api_of(cls), deprecations(ref, cls)
    except PluginError as error:
        problem = str(error)
    seconds = time.perf_counter() - started
    heavy = [name for name in HEAVY if name in sys.modules and name not in before]
    if seconds > _SLOW_SECONDS:
        notes.append("its import is slow, and every command that uses it waits: import inside the hook what is heavy")
    answer = {"seconds": seconds, "heavy": heavy, "hooks": hooks, "api": api, "problem": problem, "notes": notes}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
