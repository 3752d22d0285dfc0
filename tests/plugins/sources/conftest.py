"""Reads a file of given bytes with a source, in folders of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mlm

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")
Reader = Callable[..., mlm.Dataset]


@pytest.fixture
def read_with(tmp_path: Path) -> Reader:
    """Write files into a new folder, and read them (or what `path` says of the folder) with a source."""
    count = iter(range(10_000))

    def run(source: type[Any], files: dict[str, bytes], path: str = "", **settings: Any) -> mlm.Dataset:
        folder = tmp_path / str(next(count))
        for name, content in files.items():
            file = folder / "in" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        where = folder / "in" / (path or next(iter(files)))
        context = mlm.Context(folder=folder / "out", work=folder / "work", project=folder, problem=PROBLEM, step="step")
        return source(path=where, **settings).mlm_read(context=context)

    return run
