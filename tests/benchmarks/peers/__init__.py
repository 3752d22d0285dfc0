"""Other systems, in an environment of their own; `make peers` makes it."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import click

BIN = Path(__file__).parents[3] / "build" / "peers" / ".venv" / "bin"
_SCRIPTS = Path(__file__).parent
_QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "DVC_TEST": "true",  # No look for a newer version.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def are_here() -> bool:
    """Say whether the other systems are installed, all that are listed now."""
    made = BIN / ".made"
    return made.exists() and made.stat().st_mtime >= (_SCRIPTS / "requirements.txt").stat().st_mtime


def figure_of(script: str, *arguments: object) -> float:
    """Run a script of this folder, and return the number that it prints last."""
    return float(output_of(script, *arguments).split()[-1])


def output_of(script: str, *arguments: object) -> str:
    """Run a script of this folder, and return what it prints."""
    command = [str(BIN / "python"), str(_SCRIPTS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | _QUIET)
    if done.returncode:
        raise click.ClickException(f"{script} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def dvc(folder: Path, *arguments: str) -> float:
    """Run dvc in a folder, and return the milliseconds of CPU that it takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(BIN / "dvc"), *arguments], cwd=folder, capture_output=True, check=True, env=os.environ | _QUIET)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
