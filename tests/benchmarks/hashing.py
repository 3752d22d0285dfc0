"""The digest of a large file, beside BLAKE3 alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from blake3 import blake3
from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

from mlm_registry.objects import Objects

MEBIBYTE = 1 << 20


@benchmark("hash", "a file of 256 MiB in the page cache, ms of CPU", peer="blake3 alone", goal="<= 1.2", rounds=7)
def hashing(size: Size) -> Iterator[Pair]:
    file = size.folder / "weights.bin"
    block = random.Random(0).randbytes(MEBIBYTE)
    with open(file, "wb") as out:
        for _ in range(size.of(256, 4)):
            out.write(block)
    numbers = itertools.count()

    def ours() -> str:
        # A new folder remembers nothing.
        objects = Objects(size.folder / f"objects{next(numbers)}")
        try:
            return objects.digest(file)
        finally:
            objects.close()

    def peer() -> str:
        return blake3(max_threads=blake3.AUTO).update_mmap(file).hexdigest()

    assert ours() == peer()
    yield lambda: 1000 * cpu(ours), lambda: 1000 * cpu(peer)
