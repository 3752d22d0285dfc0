"""Other systems, in an environment of their own; `make peers` makes it."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

BIN = Path(__file__).parents[3] / "build" / "peers" / ".venv" / "bin"
_SCRIPTS = Path(__file__).parent
_QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "DVC_TEST": "true",  # No look for a newer version.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def are_here() -> bool:
    """Say whether the other systems are installed."""
    return (BIN / ".made").exists()


def figure_of(script: str, *arguments: object) -> float:
    """Run a script of this folder, and return the number that it prints last."""
    return float(output_of(script, *arguments).split()[-1])


def output_of(script: str, *arguments: object) -> str:
    """Run a script of this folder, and return what it prints."""
    command = [str(BIN / "python"), str(_SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | _QUIET).stdout


def dvc(folder: Path, *arguments: str) -> float:
    """Run dvc in a folder, and return the milliseconds of CPU that it takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(BIN / "dvc"), *arguments], cwd=folder, capture_output=True, check=True, env=os.environ | _QUIET)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
