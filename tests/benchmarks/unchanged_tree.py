"""A second look at a folder that did not change, beside the stat of each of its files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

from mlm_registry.digests import SETTLED_NS
from mlm_registry.objects import Objects

FILES_A_FOLDER = 100


@benchmark("tree", "a second look at 5,000 unchanged files, ms of CPU", peer="scandir and stat", goal="<= 2", rounds=7)
def unchanged_tree(size: Size) -> Iterator[Pair]:
    tree = size.folder / "tree"
    for number in range(size.of(5_000, 200)):
        file = tree / f"{number // FILES_A_FOLDER:03}" / f"{number:05}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n" * 50)
    # A file that changed a moment ago is not remembered: its times could hide one more change.
    time.sleep(SETTLED_NS / 1e9 + 0.1)
    (size.folder / "objects").mkdir()
    objects = Objects(size.folder / "objects")
    objects.digest(tree)
    yield lambda: 1000 * cpu(lambda: objects.digest(tree)), lambda: 1000 * cpu(lambda: _stats(tree))
    objects.close()


def _stats(folder: Path | str) -> int:
    count = 0
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            count += _stats(entry.path)
        else:
            count += os.lstat(entry.path).st_size > 0
    return count
