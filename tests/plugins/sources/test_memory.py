"""Reading takes as much memory for many rows as for few."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

READ = """
import resource, sys
from pathlib import Path
import mlm
from mlm_plugins.sources.jsonl import Jsonl

folder = Path(sys.argv[1]).parent
problem = mlm.Problem(name="t", task="chat", purpose="p")
context = mlm.Context(folder=folder / "out", work=folder / "work", project=folder, problem=problem)
rows = Jsonl(path=Path(sys.argv[1])).mlm_read(context).num_rows
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kilobytes(folder: Path, count: int) -> int:
    folder.mkdir()
    file = folder / "rows.jsonl"
    with file.open("w", encoding="utf-8") as out:
        for number in range(count):
            out.write(json.dumps({"text": f"row {number} of many, {number * 7919 % 10007}", "id": number}) + "\n")
    done = subprocess.run([sys.executable, "-c", READ, file], capture_output=True, text=True, check=True)
    rows, peak = map(int, done.stdout.split())
    assert rows == count
    return peak


@pytest.mark.heavy
def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    few, many = peak_kilobytes(tmp_path / "few", 60_000), peak_kilobytes(tmp_path / "many", 600_000)

    # Eight bytes a row for the ids are 5 MB; the rest is what the allocator keeps.
    assert many < few + 40_000
