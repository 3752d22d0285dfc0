"""A step in a process of its own: what ends that process is a failed step, and not the end of the run.

`isolate = true` in the step's table asks for it, `isolate = { memory_mb = 4000 }` bounds its memory as well. Parent and
child speak JSON lines over a pipe: no object of a plugin crosses it, only paths and measures.
"""

from __future__ import annotations

import faulthandler
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from attrs import asdict, evolve

from mlm import errors
from mlm.artifacts import Dataset, Example, Model, Report
from mlm.context import Context
from mlm.errors import MlmError
from mlm.measures import Measure
from mlm.plan import Resolved, resolved_with
from mlm.probing import same_modules
from mlm.workspace import Workspace

if TYPE_CHECKING:
    from mlm.making import Artifact

_MEGABYTE = 1_000_000
_WATCH_SECONDS = 0.2
_DRAIN_SECONDS = 1.0
_SAVING_SECONDS = 30.0


def isolated(workspace: Workspace, resolved: Resolved, context: Context) -> Artifact:
    """Make a step's product in another process, and return it.

    Raises:
        MlmError: The process was ended, by a crash, by the system or by its bound of memory.
        Exception: What the step's hook raised there, by its own name where mlm knows it.
    """
    task = {
        "project": str(workspace.folder),
        "step": resolved.step.name,
        "inputs": [[role, node.id, split] for role, node, split in resolved.inputs],
        "folder": str(context.folder),
        "work": str(context.work),
        "memory_mb": resolved.step.isolation.memory_mb if resolved.step.isolation else None,
        "debug": workspace.debugging,
        "fingerprint": resolved.fingerprint,
    }
    reading, writing = os.pipe()
    try:
        # A session of its own: what the step has started ends with it, and Ctrl-C reaches it once, from here.
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "mlm.isolating", str(writing)],
            pass_fds=[writing], stdin=subprocess.PIPE, env=same_modules(), start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    with child, open(reading, encoding="utf-8", errors="replace") as told:
        try:
            answer = _heard(child, json.dumps(task), told, context)
        except KeyboardInterrupt:
            _interrupt(child)
            raise
        finally:
            _end(child)
    code = child.returncode
    if "made" in answer:
        return _artifact(answer["made"])
    if "raised" in answer:
        error = _error(answer["raised"], answer["message"])
        if answer["traceback"]:
            error.add_note(f"In the process of the step:\n{answer['traceback']}")
        raise error
    raise MlmError(f"the process of the step was ended {_how(code)}; the run goes on without it")


def _heard(child: subprocess.Popen[bytes], task: str, told: IO[str], context: Context) -> dict[str, Any]:
    """Give the child its task, pass on what it says of its progress, and return its last word.

    What it has started may hold the pipe open after it died, so its end is watched beside the pipe.
    """
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        # It stays open: the child ends when it closes, and so it does not outlive this process.
        child.stdin.write(f"{task}\n".encode())
        child.stdin.flush()
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(told, lines), daemon=True).start()
    died: float | None = None
    while True:
        try:
            line = lines.get(timeout=_WATCH_SECONDS)
        except queue.Empty:
            if child.poll() is None:
                continue
            died = died or time.monotonic()
            if time.monotonic() - died > _DRAIN_SECONDS:
                return {}
            continue
        if line is None:
            _drain(child)
            return {}
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # It died in the middle of a line.
        if "progress" in message:
            context.progress(*message["progress"])
        elif "log" in message:
            at, values = message["log"]
            context.log(at, **values)
        else:
            _drain(child)
            return message


def _read(told: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    try:
        for line in told:
            lines.put(line)
    except (OSError, ValueError):
        pass  # It was closed, for the child is dead.
    lines.put(None)


def _drain(child: subprocess.Popen[bytes]) -> None:
    """Let a process end by itself after its last word; what it left behind, such as a thread, is not waited for."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(_DRAIN_SECONDS)


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """Let the step save what it has, as it would in this process."""
    child.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_SAVING_SECONDS)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child, and whatever it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"with code {code}"
    name = signal.Signals(-code).name
    hint = ": the system may have been short of memory" if name == "SIGKILL" else ""
    return f"by {name}{hint}"


def _error(names: list[str], message: str) -> Exception:
    """Return an error of the nearest class that mlm knows."""
    for name in names:
        known = getattr(errors, name, None)
        if isinstance(known, type) and issubclass(known, MlmError):
            # Its parts were put together in the other process.
            error = MlmError.__new__(known)
            Exception.__init__(error, message)
            return error
    return MlmError(message)


def _artifact(made: Mapping[str, Any]) -> Artifact:
    kind, values = made["kind"], dict(made["values"])
    if kind == "dataset":
        return Dataset(Path(values["path"]))
    if kind == "model":
        return Model(Path(values["path"]), values["library"], metadata=values["metadata"])
    return Report(
        tuple(Measure(**measure) for measure in values["measures"]),
        tuple(Example(**example) for example in values["examples"]),
        values["details"],
    )


def _told(made: Artifact) -> dict[str, Any]:
    if isinstance(made, Dataset):
        return {"kind": "dataset", "values": {"path": str(made.path)}}
    if isinstance(made, Model):
        values = {"path": str(made.path), "library": made.library, "metadata": dict(made.metadata)}
        return {"kind": "model", "values": values}
    report: dict[str, Any] = {
        "measures": [asdict(measure) for measure in made.measures],
        "examples": [asdict(example) for example in made.examples],
        "details": dict(made.details),
    }
    return {"kind": "report", "values": report}


def main(pipe: int) -> None:
    """Make the product in this process; the last line that is written says what came of it."""
    from mlm.attempts import explained

    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with redirect_stdout(sys.stderr), os.fdopen(pipe, "w", encoding="utf-8") as out:

        def say(message: Mapping[str, Any]) -> None:
            # Encoded before anything is written: what is no JSON is an error of the step, and not half a line.
            line = json.dumps(message, default=float)
            out.write(f"{line}\n")
            out.flush()

        try:
            if task["debug"]:
                # What ends the process without an exception leaves a traceback as well.
                faulthandler.enable()
            _bounded(task["memory_mb"])
            say({"made": _told(_made(task, say))})
        except KeyboardInterrupt:
            sys.exit(130)
        except (Exception, SystemExit) as error:
            reason = explained(error)
            if isinstance(error, MemoryError) and task["memory_mb"]:
                reason = f"it needs more than memory_mb = {task['memory_mb']} ({reason.strip()})"
            names = [kind.__name__ for kind in type(error).__mro__]
            told = traceback.format_exc() if task["debug"] else ""
            say({"raised": names, "message": reason, "traceback": told})


def _made(task: Mapping[str, Any], say: Callable[[Mapping[str, Any]], None]) -> Artifact:
    from mlm.making import make

    with Workspace(Path(task["project"])) as workspace:
        step = next((step for step in workspace.steps if step.name == task["step"]), None)
        inputs = tuple((role, workspace.registry.node(id), split) for role, id, split in task["inputs"])
        resolved = resolved_with(workspace.project, step, inputs, workspace.registry) if step else None
        if resolved is None or resolved.fingerprint != task["fingerprint"]:
            raise MlmError("mlm.toml, the data or the plugin's code changed while the run was at work: run again")
        context = evolve(
            workspace.context(task["step"], Path(task["folder"]), Path(task["work"])),
            progress=lambda done, total=None, note="": say({"progress": [done, total, note]}),
            log=lambda at, values: say({"log": [at, values]}),
        )
        return make(workspace, resolved, context, alone=True)


def _bounded(memory_mb: int | None) -> None:
    """Bound the memory that this process may ask for (RLIMIT_DATA: its heap and private mappings)."""
    if memory_mb:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = memory_mb * _MEGABYTE
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _die_with_parent() -> None:
    """End this process when the one that started it is gone: the next run must not work beside it."""
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
