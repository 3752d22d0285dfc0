"""The memory of a data step over many rows, beside the same step over a tenth of them."""

from __future__ import annotations

import json
import shutil
import subprocess
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
STARTER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
MEGABYTE = 1 << 20


@benchmark(
    "data-memory",
    "most memory of mlm run over 1e6 short rows: normalize, quality, pii, exact, minhash, split; MB",
    peer="the same over 1e5 rows",
    goal="<= 1.25",
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
    # A process counts the memory of the one that started it, so a small one starts it.
    command = [sys.executable, "-c", STARTER, sys.executable, "-m", "mlm", "-C", str(project), "run"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(told) * 1024 / MEGABYTE
