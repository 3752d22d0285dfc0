"""A step in a process of its own: what ends that process is a failed step, and not the end of the run.

`isolate = true` in the step's table asks for it, `isolate = { memory_mb = 4000 }` bounds its memory as well. Parent and
child speak JSON lines over a pipe: no object of a plugin crosses it, only paths and measures.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from attrs import asdict, evolve

from mlm import errors
from mlm.artifacts import Dataset, Example, Model, Report
from mlm.context import Context
from mlm.errors import MlmError
from mlm.measures import Measure
from mlm.plan import Resolved
from mlm.probing import same_modules
from mlm.workspace import Workspace

if TYPE_CHECKING:
    from mlm.making import Artifact

_MEGABYTE = 1_000_000


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
    }
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "mlm.isolating", str(writing), json.dumps(task)]
    with subprocess.Popen(command, pass_fds=[writing], stdin=subprocess.DEVNULL, env=same_modules()) as child:
        os.close(writing)
        try:
            with open(reading, encoding="utf-8") as told:
                answer = _heard(told, context)
            code = child.wait()
        except BaseException:
            child.kill()
            raise
    if "made" in answer:
        return _artifact(answer["made"])
    if "raised" in answer:
        raise _error(answer["raised"], answer["message"])
    raise MlmError(f"the process of the step was ended {_how(code)}; the run goes on without it")


def _heard(told: IO[str], context: Context) -> dict[str, Any]:
    """Pass on what the child says of its progress, and return its last word; nothing where it died before."""
    for line in told:
        message: dict[str, Any] = json.loads(line)
        if "progress" in message:
            context.progress(*message["progress"])
        elif "log" in message:
            at, values = message["log"]
            context.log(at, **values)
        else:
            return message
    return {}


def _how(code: int) -> str:
    if code >= 0:
        return f"with code {code}"
    name = signal.Signals(-code).name
    hint = ": the system may have been short of memory" if name == "SIGKILL" else ""
    return f"by {name}{hint}"


def _error(name: str, message: str) -> Exception:
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


def main(pipe: int, task: Mapping[str, Any]) -> None:
    """Make the product in this process; the last line that is written says what came of it."""
    from mlm.making import make
    from mlm.runner import explained

    if task["memory_mb"]:
        most = int(task["memory_mb"]) * _MEGABYTE
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with redirect_stdout(sys.stderr), os.fdopen(pipe, "w", encoding="utf-8") as out:

        def say(message: Mapping[str, Any]) -> None:
            # Encoded before anything is written: what is no JSON is an error of the step, and not half a line.
            line = json.dumps(message)
            out.write(f"{line}\n")
            out.flush()

        try:
            with Workspace(Path(task["project"])) as workspace:
                (step,) = [step for step in workspace.steps if step.name == task["step"]]
                inputs = tuple((role, workspace.registry.node(id), split) for role, id, split in task["inputs"])
                context = evolve(
                    workspace.context(step.name, Path(task["folder"]), Path(task["work"])),
                    progress=lambda done, total=None, note="": say({"progress": [done, total, note]}),
                    log=lambda at, values: say({"log": [at, values]}),
                )
                say({"made": _told(make(workspace, Resolved(step, inputs, "", None), context))})
        except (Exception, SystemExit) as error:
            if task["debug"]:
                import traceback

                traceback.print_exc()
            say({"raised": type(error).__name__, "message": explained(error)})


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
