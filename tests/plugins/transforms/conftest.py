"""Small datasets, and the two ways in which a transform is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

import mlm

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")
Columns = Mapping[str, Sequence[Any]]


class Run(Protocol):
    def __call__(self, transform: Any, columns: Columns, *, size: int = 1024, seed: int = 0) -> mlm.Dataset: ...


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., mlm.Dataset]:
    """Store columns as a dataset; ids are r0, r1, .. unless they are given."""
    import pyarrow as pa

    number = count()

    def run(columns: Columns) -> mlm.Dataset:
        rows = range(len(next(iter(columns.values()))))
        ids = {"row_id": [f"r{i}" for i in rows], "source": [f"f:{i + 1}" for i in rows]}
        texts = {"text", "prompt", "completion", "chosen", "rejected", "row_id", "source"}
        arrays = {
            name: pa.array(list(values), pa.string() if name in texts else None)
            for name, values in (ids | dict(columns)).items()
        }
        with mlm.DatasetWriter(tmp_path / f"in{next(number)}") as writer:
            writer.write(mlm.Batch(pa.table(arrays)))
        return writer.dataset

    return run


@pytest.fixture
def apply(tmp_path: Path, store: Callable[..., mlm.Dataset]) -> Run:
    """Run a transform over columns, in batches of `size` where it is row-wise."""
    import pluggy
    import pyarrow as pa

    from mlm import hookspecs

    number = count()

    def run(transform: Any, columns: Columns, *, size: int = 1024, seed: int = 0) -> mlm.Dataset:
        folder = tmp_path / f"out{next(number)}"
        context = mlm.Context(folder=folder, work=tmp_path, project=tmp_path, problem=PROBLEM, seed=seed, step="clean")
        manager = pluggy.PluginManager("mlm")
        manager.add_hookspecs(hookspecs)
        manager.register(transform)
        manager.check_pending()
        data = store(columns)
        if hasattr(transform, "mlm_transform"):
            made = manager.hook.mlm_transform(data=data, context=context)
            assert isinstance(made, mlm.Dataset)
            return made
        with context.writer() as writer:
            for record in data.batches(size):
                writer.write(manager.hook.mlm_map(batch=mlm.Batch(pa.table(record)), context=context))
        return writer.dataset

    return run
