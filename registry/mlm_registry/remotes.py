"""Copies of a registry's files in a place elsewhere, by their paths in its folder: anything that fsspec reaches.

What it held when it was last seen is kept in `remote.json`, so that asking for it costs no round trip.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from mlm_registry.errors import Corrupt, RegistryError
from mlm_registry.progress import Progress, silent

_AT_ONCE = 64
"""Files in one call: file systems that can, move several of them at a time."""
_CREDENTIALS = re.compile(r"//.*@|\?.*")
_FULL = {errno.ENOSPC, errno.EDQUOT}


@frozen
class Seen:
    """A remote as it was when it was last seen."""

    url: str
    files: Mapping[str, int] = field(factory=dict)
    """Bytes of each object's file."""


class Remote:
    """Copies of a registry's files at a URL; every error is one line that names it, without its credentials."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.name = _without_secrets(url)
        self._file = folder / "remote.json"
        self._read: tuple[tuple[int, ...], Seen] | None = None

    @property
    def seen(self) -> Seen:
        """What was last seen of this URL, by this process or another."""
        try:
            stat = os.stat(self._file)
            stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, Seen(**json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Seen(self.name)
        except (ValueError, TypeError, OSError) as error:
            raise Corrupt(f"{self._file} is not readable ({error}); delete it, and pull again") from error
        return self._read[1] if self._read[1].url == self.name else Seen(self.name)

    def remember(self, files: Mapping[str, int]) -> None:
        """Keep which objects were seen, whole or not at all."""
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        part.write_text(json.dumps(asdict(Seen(self.name, files))), encoding="utf-8")
        os.replace(part, self._file)

    def holds(self, name: str) -> bool:
        """Say whether a file was there when the remote was last seen."""
        return name in self.seen.files

    def files(self, below: str) -> dict[str, int]:
        """List the files below a folder with their sizes, now."""
        with self._reached() as (system, root):
            system.invalidate_cache()
            found = system.find(f"{root}/{below}", detail=True)
            return {path[len(root) + 1 :]: int(info["size"]) for path, info in found.items()}

    def read(self, name: str) -> bytes | None:
        """Read a small file; None where there is none."""
        with self._reached() as (system, root):
            system.invalidate_cache()
            try:
                return bytes(system.cat_file(f"{root}/{name}"))
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Write a small file in the place of what was there."""
        with self._reached() as (system, root):
            _make_folders(system, root, [name])
            system.pipe_file(f"{root}/{name}", content)

    def send(self, files: Sequence[tuple[Path, str]], progress: Progress = silent) -> None:
        """Copy files there, by the names that they shall have."""
        with self._reached() as (system, root):
            _make_folders(system, root, [name for _, name in files])
            for some in _chunks(files):
                system.put([str(path) for path, _ in some], [f"{root}/{name}" for _, name in some])
                progress(sum(path.stat().st_size for path, _ in some))

    def fetch(self, files: Sequence[tuple[str, Path]], progress: Progress = silent) -> None:
        """Copy files from there; what they hold is the caller's to verify."""
        with self._reached() as (system, root):
            for some in _chunks(files):
                system.get([f"{root}/{name}" for name, _ in some], [str(path) for _, path in some])
                progress(sum(path.stat().st_size for _, path in some))

    def remove(self, names: Sequence[str]) -> None:
        """Delete files there."""
        with self._reached() as (system, root):
            if names:
                system.rm([f"{root}/{name}" for name in names])

    def protect(self, name: str) -> None:
        """Let only its owner read a file, where the remote is a folder; elsewhere its own rules hold."""
        with self._reached() as (system, root):
            if "file" in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)):
                os.chmod(f"{root}/{name}", 0o600)

    @cached_property
    def _place(self) -> tuple[Any, str]:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise RegistryError("a remote needs fsspec: pip install 'mlm[remote]'") from None
        system, root = url_to_fs(self.url)
        return system, str(root).rstrip("/")

    @contextmanager
    def _reached(self) -> Iterator[tuple[Any, str]]:
        try:
            yield self._place
        except RegistryError:
            raise
        except Exception as error:  # Each file system has errors of its own.
            if isinstance(error, OSError) and error.errno in _FULL:
                raise RegistryError(f"no space left for what is copied ({error.filename or self.name})") from error
            reason = _without_secrets(f"{type(error).__name__}: {error}").replace("\n", " ")
            raise RegistryError(f"the remote {self.name} failed ({reason})") from error


def _without_secrets(text: str) -> str:
    """Cut user, password and query out of URLs."""
    return _CREDENTIALS.sub(lambda found: "//" if found[0].startswith("//") else "", text)


def _chunks(files: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (files[start : start + _AT_ONCE] for start in range(0, len(files), _AT_ONCE))


def _make_folders(system: Any, root: str, names: Sequence[str]) -> None:
    for folder in sorted({name.rpartition("/")[0] for name in names}):
        system.makedirs(f"{root}/{folder}".rstrip("/"), exist_ok=True)
