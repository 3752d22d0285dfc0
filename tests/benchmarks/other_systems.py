"""Recording, hashing, storing and doing nothing, beside the systems that a team would use instead."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.hashing import MEBIBYTE, hashed
from tests.benchmarks.measuring import Measure, Pair, Size, benchmark, cpu, cpu_of
from tests.benchmarks.recording import inputs_of, record_one
from tests.benchmarks.starting import up_to_date

from mlm_registry import Registry
from mlm_registry.objects import Objects

FILES, FILE_BYTES, FILES_A_FOLDER = 10_000, 4096, 100


@benchmark(
    "record-mlflow",
    "one execution of 76 rows, sealed, ms of CPU",
    peer="MLflow's client and store: a run of 67 measures, 20 settings, 3 inputs",
    goal="<= 0.01",
    rounds=3,
    needs_peers=True,
)
def record(size: Size) -> Iterator[Pair]:
    with Registry.open(size.folder / "ours") as registry:
        inputs = inputs_of(registry)
        times = size.of(200, 5)
        peers.figure_of("mlflow_runs.py", size.folder, 0)
        yield (
            lambda: 1000 * cpu(lambda: record_one(registry, inputs), times),
            lambda: peers.figure_of("mlflow_runs.py", size.folder, size.of(50, 2)),
        )


def _large(key: str, peer: str, goal: str, measure: Callable[[Size, Path], Measure]) -> None:
    @benchmark(key, "a file of 2 GiB, ms of CPU", peer=peer, goal=goal, rounds=3, needs_peers=True)
    def large(size: Size) -> Iterator[Pair]:
        file = size.folder / "model" / "weights.bin"
        file.parent.mkdir()
        block = random.Random(0).randbytes(MEBIBYTE)
        with open(file, "wb") as out:
            for _ in range(size.of(2048, 2)):
                out.write(block)
        yield lambda: 1000 * cpu(hashed(size, file)), measure(size, file)


_large(
    "hash-signing", "model-signing's default", "<= 0.4",
    lambda size, file: lambda: peers.figure_of("signing_hash.py", file.parent),
)  # fmt: skip
_large("hash-dvc", "`dvc add`, the whole process", "<= 0.1", lambda size, file: lambda: dvc_add(size, file.parent))


def _small(key: str, what: str, goal: str, prepare: Callable[[Size, Path], Callable[[], object]]) -> None:
    @benchmark(
        key,
        f"{what} 10,000 files of 4 KiB, ms of CPU",
        peer="`dvc add`, the whole process",
        goal=goal,
        rounds=3,
        needs_peers=True,
    )
    def small(size: Size) -> Iterator[Pair]:
        tree, draw = size.folder / "tree", random.Random(0)
        for number in range(size.of(FILES, 200)):
            file = tree / str(number // FILES_A_FOLDER) / f"{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(draw.randbytes(FILE_BYTES))
        yield lambda: 1000 * cpu(prepare(size, tree)), lambda: dvc_add(size, tree)


def _stored(size: Size, tree: Path) -> Callable[[], object]:
    folder = size.folder / "objects"
    shutil.rmtree(folder, ignore_errors=True)
    objects = Objects(folder)

    def store() -> None:
        objects.put(tree)
        objects.close()

    return store


_small("hash-small", "hashing", "<= 0.025", hashed)
_small("store-small", "storing", "<= 0.05", _stored)


@benchmark(
    "idle-dvc",
    "a run of 100 steps that are all up to date, ms of CPU of the process",
    peer="`dvc repro` of 100 stages",
    goal="<= 0.05",
    rounds=3,
    needs_peers=True,
)
def idle(size: Size) -> Iterator[Pair]:
    count = size.of(100, 5)
    command = up_to_date(size.folder, count)
    repository = size.folder / "dvc"
    repository.mkdir()
    peers.dvc(repository, "init", "--no-scm", "--quiet")
    shutil.copy(size.folder / "rows.jsonl", repository)
    stages = {
        f"step{n}": {"cmd": f"cp rows.jsonl step{n}.out", "deps": ["rows.jsonl"], "outs": [f"step{n}.out"]}
        for n in range(count)
    }
    (repository / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    peers.dvc(repository, "repro", "--quiet")
    yield lambda: 1000 * cpu_of(command), lambda: peers.dvc(repository, "repro", "--quiet")


_numbers = itertools.count()


def dvc_add(size: Size, path: Path) -> float:
    """Add a file or folder to a new repository, and take it back out of it."""
    repository = size.folder / f"dvc{next(_numbers)}"
    repository.mkdir()
    peers.dvc(repository, "init", "--no-scm", "--quiet")
    inside = path.rename(repository / path.name)
    try:
        return peers.dvc(repository, "add", "--quiet", path.name)
    finally:
        inside.rename(path)
        shutil.rmtree(repository)
