"""The digest of a large file, beside BLAKE3 alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from blake3 import blake3
from tests.benchmarks.measuring import Pair, Size, benchmark, cpu

from mlm_registry.objects import Objects

MEBIBYTE = 1 << 20
_numbers = itertools.count()


@benchmark("hash", "a file of 256 MiB in the page cache, ms of CPU", peer="blake3 alone", goal="<= 1.2", rounds=7)
def hashing(size: Size) -> Iterator[Pair]:
    file = size.folder / "weights.bin"
    block = random.Random(0).randbytes(MEBIBYTE)
    with open(file, "wb") as out:
        for _ in range(size.of(256, 4)):
            out.write(block)

    def peer() -> str:
        return blake3(max_threads=blake3.AUTO).update_mmap(file).hexdigest()

    assert hashed(size, file)() == peer()
    yield lambda: 1000 * cpu(hashed(size, file)), lambda: 1000 * cpu(peer)


def hashed(size: Size, path: Path) -> Callable[[], str]:
    """Return what digests a path where nothing is remembered of it."""
    objects = Objects(size.folder / f"objects{next(_numbers)}")

    def digest() -> str:
        try:
            return objects.digest(path)
        finally:
            objects.close()

    return digest
