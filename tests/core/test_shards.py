"""Passes over data: cut into shards, spread over workers, and the same whatever becomes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import distribution
from trial import TrialProject

import mlm
from mlm.artifacts import Dataset

IMPORTS = """
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define

import mlm
"""
PLUGINS = """
@define(kw_only=True)
class Stumbles:
    '''Notes each batch, and ends its process at the first row of a number, once.'''

    at: str = mlm.setting(help="row at which it stumbles")
    how: str = mlm.setting("kill", help="kill, or raise")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        stumbled = context.project / "stumbled"
        if self.at in batch.strings("number") and not stumbled.exists():
            stumbled.touch()
            if self.how == "raise":
                raise mlm.DataError("it stumbled")
            os.kill(os.getpid(), signal.SIGKILL)
        with (context.project / "seen").open("a") as seen:
            seen.write("".join(f"{number}\\n" for number in batch.strings("number")))
        return batch


@define(kw_only=True)
class Marks:
    '''Adds a column that has a value in the last shard only.'''

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.with_column("late", [int(n) if int(n) >= 39_990 else None for n in batch.strings("number")])


@define(kw_only=True)
class Bound:
    '''Holds what no other process can have.'''

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch

    def __getstate__(self) -> None:
        raise TypeError("it holds a lock")


@define(kw_only=True)
class Lazy:
    '''An executor that leaves the last shard out.'''

    @mlm.hookimpl
    def mlm_execute(self, work: Callable[[], Any]) -> Any:
        return work()

    @mlm.hookimpl
    def mlm_spread(self, work: Callable[[Any], int], shards: Sequence[Any]) -> Any:
        return map(work, shards[:-1])
"""
POINTS = {
    "transforms/stumbles": "Stumbles", "transforms/marks": "Marks", "transforms/bound": "Bound",
    "executors/lazy": "Lazy",
}  # fmt: skip
PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = ["shout", { use = "drop", word = "7" }]
"""
WORKERS = '[governance]\nexecutor = { use = "processes", workers = 2 }\n'


@pytest.fixture
def many(project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialProject]:
    """A project with rows for three shards, and plugins that stumble."""
    code = IMPORTS + PLUGINS
    site = distribution(tmp_path / "site", "acme-shards", POINTS, code)
    monkeypatch.syspath_prepend(str(site))
    project.jsonl("lessons.jsonl", [{"text": f"row {i}", "number": str(i)} for i in range(40_000)])
    project.write(PROJECT)
    yield project
    sys.modules.pop("acme_shards", None)


def process(project: TrialProject) -> subprocess.CompletedProcess[str]:
    """Run the project in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "mlm", "-C", str(project.folder), "run"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def digest(project: TrialProject) -> str:
    return str(project.mlm("show", "lessons", "--json").json["node"]["digest"])


def contents(project: TrialProject) -> list[bytes]:
    """Return the bytes of each part; the chain, and so the statistics, may be of another length."""
    return [file.read_bytes() for file in dataset(project).files]


def dataset(project: TrialProject) -> Dataset:
    return Dataset(Path(project.mlm("show", "lessons", "--json").json["path"]))


def test_workers_make_what_one_process_makes(many: TrialProject, tmp_path: Path) -> None:
    many.run()
    alone = digest(many)
    (many.folder / ".mlm").rename(tmp_path / "before")
    many.write(PROJECT + WORKERS)

    assert many.run() == {"lessons": "ran"}

    assert digest(many) == alone


def test_the_parts_of_a_split_open_in_the_ecosystem(many: TrialProject) -> None:
    many.run()
    made = dataset(many)

    names = [file.name for file in made.files]

    assert names == [f"train-{part:05}-of-00003.parquet" for part in range(3)]
    assert pq.read_table(made.path / "data").num_rows == made.num_rows == sum("7" not in str(i) for i in range(40_000))


def test_rows_that_were_changed_are_named_with_transform_and_reason(many: TrialProject) -> None:
    many.run()

    changed = list(dataset(many).changed())

    assert len(changed) == 40_000
    assert {(row["step"], row["reason"]) for row in changed} == {("shout", "shouted")}


def test_a_killed_pass_goes_on_where_it_was(many: TrialProject, tmp_path: Path) -> None:
    many.run()
    whole = contents(many)
    (many.folder / ".mlm").rename(tmp_path / "before")
    many.change('word = "7" }', 'word = "7" }, { use = "stumbles", at = "35000" }')

    killed = process(many)
    seen = (many.folder / "seen").read_text().split()
    again = process(many)

    assert killed.returncode == -9
    assert again.returncode == 0, again.stderr
    assert contents(many) == whole
    after = (many.folder / "seen").read_text().split()[len(seen) :]
    # The shards that were done are not done again: the third alone is.
    assert min(map(int, after)) >= 2 * 16_384


def test_a_killed_worker_is_a_failed_step_that_goes_on(many: TrialProject, tmp_path: Path) -> None:
    many.run()
    whole = contents(many)
    (many.folder / ".mlm").rename(tmp_path / "before")
    many.write(PROJECT + WORKERS)
    many.change('word = "7" }', 'word = "7" }, { use = "stumbles", at = "35000" }')

    failed = process(many)
    again = process(many)

    assert failed.returncode == 1
    assert "a worker process was ended" in failed.stdout + failed.stderr
    assert again.returncode == 0, again.stderr
    assert contents(many) == whole


def test_an_error_in_a_worker_is_told_as_it_would_be_here(many: TrialProject) -> None:
    many.write(PROJECT + WORKERS)
    many.change('word = "7" }', 'word = "7" }, { use = "stumbles", at = "35000", how = "raise" }')

    failed = many.mlm("run", "--json")

    assert failed.json["steps"][0]["error"] == "it stumbled"


def test_a_column_that_is_empty_in_one_shard_has_its_type_in_all(many: TrialProject) -> None:
    many.change('word = "7" }', 'word = "7" }, "marks"')

    many.run()

    found = pq.read_table(dataset(many).path / "data").column("late").to_pylist()
    assert [value for value in found if value is not None] == [i for i in range(39_990, 40_000) if "7" not in str(i)]


def test_a_transform_that_cannot_travel_is_named_with_the_remedy(many: TrialProject) -> None:
    many.write(PROJECT + WORKERS)
    many.change('word = "7" }', 'word = "7" }, "bound"')

    error = many.mlm("run", "--json").json["steps"][0]["error"]

    assert error == "a transform cannot be sent to a worker process (it holds a lock): set workers = 1"


def test_an_executor_that_leaves_a_shard_out_is_found(many: TrialProject) -> None:
    many.write(PROJECT + '[governance]\nexecutor = "lazy"\n')

    error = many.mlm("run", "--json").json["steps"][0]["error"]

    assert error.startswith("the executor did not run shard 2")
    assert many.refs() == set()


def test_what_was_erased_meanwhile_does_not_come_back_from_an_interrupted_run(many: TrialProject) -> None:
    rows: list[dict[str, Any]] = [
        {"text": f"row {i}", "number": str(i), "user": "ada" if i < 5 else "bob"} for i in range(20_000)
    ]
    many.jsonl("lessons.jsonl", rows)
    many.run()
    many.change('word = "7" }', 'word = "7" }, { use = "stumbles", at = "19000", how = "raise" }')
    many.run()
    erased = many.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes")
    assert erased.code == 0, erased.err

    assert many.run() == {"lessons": "ran"}

    made = dataset(many)
    assert {row["user"] for row in made.rows(["user"])} == {"bob"}


def test_a_step_that_fails_in_a_late_stage_goes_on_there(many: TrialProject) -> None:
    many.jsonl("lessons.jsonl", [{"text": f"row {i}", "number": str(i)} for i in range(200)])
    late = 'word = "7" }, "exact", { use = "stumbles", at = "150", how = "raise" }'
    many.change('word = "7" }', late)

    assert many.run() == {"lessons": "failed"}
    assert many.run() == {"lessons": "ran"}

    assert dataset(many).num_rows == sum("7" not in str(i) for i in range(200))
    chain = many.mlm("data", "show", "lessons", "--json").json["chain"]
    assert [link["rows_in"] for link in chain] == [200, 200, 200, 162, 162]


def test_a_source_that_brought_nothing_is_read_again(many: TrialProject) -> None:
    many.write('[data.lessons]\nuse = "journal"\nfile = "lines"\n')
    lines = many.folder / "lines"
    lines.write_text("")
    assert many.run() == {"lessons": "failed"}
    assert many.left_over() == []


def test_long_rows_are_cut_into_shards_by_their_bytes(many: TrialProject) -> None:
    many.jsonl("lessons.jsonl", [{"text": f"{i} " * 300_000, "number": str(i)} for i in range(80, 200)])

    many.run()

    assert len(dataset(many).files) > 1


def test_a_column_that_begins_late_is_in_every_row(tmp_path: Path) -> None:
    def rows(start: int, count: int, **more: Any) -> mlm.Batch:
        ids = [str(i) for i in range(start, start + count)]
        return mlm.Batch(pa.table({"row_id": ids, "source": ids, **more}))

    with mlm.DatasetWriter(tmp_path) as writer:
        writer.write(rows(0, 20_000, score=pa.nulls(20_000)))
        writer.write(rows(20_000, 20_000, score=[1] * 20_000))
        writer.write(rows(40_000, 20_000, score=[0.5] * 20_000, late=["x"] * 20_000))

    table = pq.read_table(tmp_path / "data")
    assert table.column("score").to_pylist()[19_999:20_001] == [None, 1.0]
    assert table.column("score").to_pylist()[-1] == 0.5
    assert table.column("late").null_count == 40_000


def test_rows_whose_types_do_not_go_together_are_one_line(tmp_path: Path) -> None:
    rows = [
        mlm.Batch(pa.table({"row_id": ["a"] * 20_000, "source": ["a"] * 20_000, "score": [value] * 20_000}))
        for value in (1, "x")
    ]

    def write() -> None:
        with mlm.DatasetWriter(tmp_path) as writer:
            for batch in rows:
                writer.write(batch)

    with pytest.raises(mlm.DataError, match="types of those before"):
        write()
