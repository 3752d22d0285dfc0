"""The memory of a data step over many rows, beside the same step over a tenth of them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.texts import sentences

PROJECT = """
[problem]
name = "corpus"
task = "completion"
purpose = "Learn to write."

[data.corpus]
use = "jsonl"
path = "{file}"
steps = ["normalize", "quality", "pii", "exact", "minhash", {{ use = "split", test = 0.01 }}]
"""
MEGABYTE = 1 << 20


@benchmark(
    "data-memory",
    "most memory of mlm run over 1e6 short rows: normalize, quality, pii, exact, minhash, split; MB",
    peer="the same over 1e5 rows",
    goal="<= 1.4",
    rounds=1,
)
def memory(size: Size) -> Iterator[Pair]:
    large = size.of(1_000_000, 20_000)
    many, few = (_project(size.folder / str(count), count) for count in (large, large // 10))
    yield lambda: _peak(many), lambda: _peak(few)


def _project(folder: Path, count: int) -> Path:
    folder.mkdir()
    file = folder / "rows.jsonl"
    with file.open("w", encoding="utf-8") as rows:
        rows.writelines(json.dumps({"text": text}) + "\n" for text in sentences(count, 24))
    (folder / "mlm.toml").write_text(PROJECT.format(file=file), encoding="utf-8")
    return folder


def _peak(project: Path) -> float:
    """Run a project in a process of its own, and return the most memory that it held, in MB."""
    shutil.rmtree(project / ".mlm", ignore_errors=True)
    command = [sys.executable, "-m", "mlm", "-C", str(project), "run"]
    quiet = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=[quiet])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"mlm run ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss * 1024 / MEGABYTE
