"""A Git repository as the `git` command shows it; nothing of it is checked out, and nothing of it runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from attrs import frozen

import mlm

_LINKS = {"120000": "a symbolic link", "160000": "a submodule"}
# `ext::` and other helpers run commands that a URL names.
_ENVIRONMENT = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


@frozen
class Entry:
    """A file of a commit."""

    path: str
    object: str
    size: int
    link: str
    """What it is where it is no file of its own; empty for a file."""


@frozen
class Repository:
    """Where a repository's objects are."""

    folder: Path

    def commit(self, revision: str) -> str:
        """Return the commit that a revision names."""
        return git(self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")

    def entries(self, commit: str) -> Iterator[Entry]:
        """List the files of a commit, by path."""
        command = ["git", "-C", str(self.folder), "ls-tree", "-r", "-z", "-l", "--full-tree", commit]
        with _running(command) as process:
            assert process.stdout is not None
            rest = b""
            while block := process.stdout.read(1 << 16):
                *lines, rest = (rest + block).split(b"\0")
                for line in lines:
                    told, _, path = line.partition(b"\t")
                    mode, _, name, size = told.decode().split()
                    yield Entry(
                        path.decode("utf-8", "replace"), name, int(size) if size != "-" else 0, _LINKS.get(mode, "")
                    )

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Start one process that reads objects."""
        with _running(["git", "-C", str(self.folder), "cat-file", "--batch"], stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            yield Reader(process.stdin, process.stdout)
            process.stdin.close()


@frozen
class Reader:
    """Reads one object after another."""

    asked: IO[bytes]
    told: IO[bytes]

    def read(self, object: str) -> bytes:
        """Return an object's content; DataError where the repository lacks it."""
        self.asked.write(f"{object}\n".encode())
        self.asked.flush()
        head = self.told.readline().split()
        if len(head) != 3:
            raise mlm.DataError(f"the repository lacks object {object}; fetch it whole")
        content = self.told.read(int(head[2]))
        self.told.read(1)
        return content


def _environment() -> dict[str, str]:
    """Return git's environment, without what a hook or another git command says of its own repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _ENVIRONMENT


def git(folder: Path | None, *arguments: str) -> str:
    """Run git, and return what it says; DataError says what went wrong."""
    where = ["-C", str(folder)] if folder else []
    try:
        done = subprocess.run(
            ["git", *where, *arguments], capture_output=True, text=True, check=False, env=_environment()
        )
    except FileNotFoundError:
        raise mlm.DataError("the command `git` is not installed") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it is not there"]
        raise mlm.DataError(f"git {arguments[0]} {arguments[-1]}: {said[-1]}")
    return done.stdout.strip()


@contextmanager
def _running(command: list[str], stdin: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, env=_environment())
    try:
        with process:
            yield process
    finally:
        process.kill()
    if process.returncode:
        raise mlm.DataError(f"{' '.join(command[:1] + command[3:5])} ended with {process.returncode}")
