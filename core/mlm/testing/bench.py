"""A workbench for one plugin: configured afresh for each question, with data and folders of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from mlm.artifacts import Dataset, Model
from mlm.bindings import ports_of
from mlm.calls import Plugin
from mlm.context import Context
from mlm.discovery import PluginRef
from mlm.problem import Problem
from mlm.testing.scripted import UNKNOWN, ScriptedEngine

if TYPE_CHECKING:
    import pyarrow as pa

    from mlm.intent import Window
    from mlm.serving import Engine

ROWS: tuple[Mapping[str, Any], ...] = tuple(
    {
        "prompt": f"What is the capital of province {number}?",
        "completion": f"The capital of province {number} is City {number}.",
        "text": f"Province {number} lies by the river, and its capital is City {number}.",
        "chosen": f"It is City {number}.",
        "rejected": UNKNOWN,
        "label": "dangerous" if number % 4 == 3 else "harmless",
    }
    for number in range(24)
)
"""Rows with every text column and a label; a test may bring its own.

Of a prompt, `completion` is the right answer and `rejected` a wrong one.
"""


@define
class Bench:
    """What a check, or a test of one's own, has at hand: the plugin, and what its hooks are given."""

    kind: str
    """The plugin's kind, such as `evaluators`."""
    cls: type[Any]
    """Its class."""
    folder: Path
    """Where all that is made lies; each thing has a folder of its own below it."""
    configure: Callable[[Path], Mapping[str, Any]] = field(default=lambda folder: {})
    """Returns the plugin's settings, and may write the files that they name into the folder it is given."""
    rows: Sequence[Mapping[str, Any]] = ROWS
    """What data is made of."""
    model_of: Callable[[Path], Model] | None = None
    """Makes a model to train on, export or evaluate, in the folder it is given; default: none that has weights."""
    engine_of: Callable[[Model], Engine] | None = None
    """Loads that model; default: one that answers from the rows."""
    ref: PluginRef = field(default=PluginRef("", "", "under-test", "0", ""))
    """Under which name and distribution the plugin is known."""
    _places: int = field(default=0, init=False)

    def plugin(self) -> Plugin:
        """Configure the plugin anew; artifact inputs that are fields get the rows, or the model."""
        inputs: dict[str, Any] = {}
        for port in ports_of(self.cls):
            made = self.dataset(name=f"input-{port.name}") if port.kind == "dataset" else self.model()
            inputs[port.name] = [made] if port.many else made
        settings = dict(self.configure(self._place("settings")))
        ref = evolve(self.ref, kind=self.kind, name=self.ref.name or self.cls.__name__)
        return Plugin(ref, self.cls(**settings, **inputs))

    def context(self, name: str = "out", *, seed: int = 1, work: Path | None = None, **changes: Any) -> Context:
        """Return a context with an empty folder; `work` is one that an earlier try has left."""
        place = self._place(name)
        folder = place / "folder"
        folder.mkdir()
        work = work or place / "work"
        work.mkdir(exist_ok=True)
        problem = Problem(name="bench", task="chat", purpose="Try a plugin.")
        return Context(
            folder=folder, work=work, project=place, problem=problem, seed=seed, threads=1, step="bench",
            load=self._load, **{"window": _busy} | changes,
        )  # fmt: skip

    def dataset(self, rows: Sequence[Mapping[str, Any]] | None = None, name: str = "data") -> Dataset:
        """Store rows as a dataset; they get ids and sources."""
        from mlm.batches import Batch
        from mlm.dataset_writer import DatasetWriter

        found = self.rows if rows is None else rows
        with DatasetWriter(self._place(name) / "dataset", "bench") as writer:
            writer.write(Batch(table_of(found)))
        return writer.dataset

    def model(self) -> Model:
        """Return the model to work with: what the test makes, or a folder that only the default engine understands."""
        place = self._place("model")
        if self.model_of is not None:
            return self.model_of(place)
        (place / "scripted.json").write_text("{}", encoding="utf-8")
        return Model(place, "scripted", "model@1", "0" * 64)

    def _load(self, model: Model, fresh: bool = False) -> Engine:
        if self.engine_of is not None:
            return self.engine_of(model)
        return ScriptedEngine.of_rows(self.rows)

    def _place(self, name: str) -> Path:
        self._places += 1
        place = self.folder / f"{self._places:03}-{name}"
        place.mkdir(parents=True)
        return place


def _busy(deployment: str) -> Window:
    """Return traffic with complaints and corrections."""
    from mlm.testing.living import windows

    return windows()[-1]


def identified(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give rows an id and a source, where they have none, and each the columns of all."""
    columns = dict.fromkeys(["row_id", "source", *(name for row in rows for name in row)])
    return [columns | {"row_id": f"{n:016x}", "source": f"bench.jsonl:{n + 1}", **row} for n, row in enumerate(rows)]


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema | None = None) -> pa.Table:
    """Return rows as a table; the schema is that of the rows themselves, or of more of them."""
    import pyarrow as pa

    return pa.Table.from_pylist(identified(rows), schema)


def digest_of(folder: Path) -> str:
    """Digest the names and bytes of the files below a folder (SHA-256)."""
    found = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{file.relative_to(folder)}\0".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of each file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def changed(folder: Path, before: dict[str, tuple[int, int]], apart_from: Path) -> list[str]:
    """List the files below a folder that were written, changed or deleted, but for those of one place."""
    after = files_of(folder)
    names = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    return sorted(name for name in names if not (folder / name).is_relative_to(apart_from))
