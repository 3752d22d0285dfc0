"""A small classifier of texts: of insults, of topics, of quality."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field, validators

import mlm
from mlm.batches import TEXT_COLUMNS
from mlm_plugins.detectors.classifier import LIBRARY, Classifier, lowered, shift_of
from mlm_plugins.detectors.columns import joined

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_ROWS = 4096


@define(kw_only=True)
class TextClassifier:
    """Softmax regression on hashed words, pairs of words and runs of 3 to 5 bytes, trained by AdaGrad.

    Reads the data once an epoch, batch by batch, in an order that the seed draws within each batch of 4096 rows: rows
    that are sorted by label should be mixed first.
    """

    label: str = mlm.setting("label", help="column that holds the label")
    columns: list[str] = mlm.setting(factory=list, help="columns of text; without any, all text columns")
    epochs: int = mlm.setting(5, validator=validators.ge(1), help="how often the data is read")
    learning_rate: float = mlm.setting(0.1, validator=validators.gt(0), help="step of AdaGrad")
    bits: int = mlm.setting(
        18, validator=validators.and_(validators.ge(8), validators.le(26)), help="2**bits places for weights"
    )

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        columns = self._columns(data)
        counts = _counted(data, self.label)
        labels = tuple(sorted(counts))
        state = _State.resumed(context.work, 1 << self.bits, len(labels))
        total, done = self.epochs * data.num_rows, state.epoch * data.num_rows
        while state.epoch < self.epochs:
            loss = 0.0
            for number, table in enumerate(_tables(data, [*columns, self.label])):
                context.progress(done, total, f"epoch {state.epoch + 1} of {self.epochs}")
                loss += state.learn(table, columns, labels, self, (context.seed, state.epoch, number))
                done += table.num_rows
            state.epoch += 1
            context.log(state.epoch, loss=loss / data.num_rows)
            state.save(context.work)
        Classifier(labels, state.weights, state.bias).save(context.folder)
        return mlm.Model(context.folder, library=LIBRARY, metadata={"labels": dict(sorted(counts.items()))})

    def _columns(self, data: mlm.Dataset) -> list[str]:
        import pyarrow.parquet as pq

        names = pq.read_schema(data.files[0]).names if data.files else []
        columns = self.columns or [name for name in TEXT_COLUMNS if name in names]
        for name in (*columns, self.label):
            if name not in names:
                raise mlm.DataError(f"{_name(data)} has no column '{name}' (columns: {', '.join(names)})")
        if not columns:
            raise mlm.DataError(f"{_name(data)} has no text to learn from (expected one of {', '.join(TEXT_COLUMNS)})")
        return columns


@define
class _State:
    """What an epoch leaves to the next."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    squares: NDArray[np.float32]
    bias_squares: NDArray[np.float32]
    epoch: int = field(default=0)

    @classmethod
    def resumed(cls, work: Path, places: int, labels: int) -> _State:
        """Return what an interrupted try has saved, or zeros."""
        import numpy as np
        from safetensors.numpy import load_file

        if (file := work / "epoch.safetensors").exists():
            tensors = load_file(file)
            return cls(epoch=int(tensors.pop("epoch")[0]), **tensors)
        weights, bias = np.zeros((places, labels), np.float32), np.zeros(labels, np.float32)
        return cls(weights, bias, weights.copy(), bias.copy())

    def save(self, work: Path) -> None:
        import numpy as np
        from safetensors.numpy import save_file

        tensors = {name: getattr(self, name) for name in ("weights", "bias", "squares", "bias_squares")}
        save_file({**tensors, "epoch": np.array([self.epoch])}, work / "epoch.new")
        os.replace(work / "epoch.new", work / "epoch.safetensors")

    def learn(
        self, table: pa.Table, columns: list[str], labels: tuple[str, ...], plugin: TextClassifier, seed: Any
    ) -> float:
        """Learn from some rows, and return the sum of their losses."""
        import numpy as np

        from mlm_plugins.detectors.ngrams import WORDS, learn

        texts, offsets = lowered(joined(table, columns))
        known = {label: place for place, label in enumerate(labels)}
        right = np.array([known[str(label)] for label in table.column(plugin.label).to_pylist()])
        order = np.random.default_rng(seed).permutation(len(right))
        return float(
            learn(
                texts, offsets, WORDS, shift_of(self.weights), self.weights, self.bias,
                self.squares, self.bias_squares, right, order, plugin.learning_rate,
            )
        )  # fmt: skip


def _tables(data: mlm.Dataset, columns: list[str]) -> Iterator[pa.Table]:
    import pyarrow as pa

    for record in data.batches(_ROWS, columns=columns):
        yield pa.Table.from_batches([record])


def _counted(data: mlm.Dataset, label: str) -> Counter[str]:
    """Count the rows of each label; DataError where a row has none, or all have one."""
    counts = Counter[str]()
    for table in _tables(data, ["row_id", label]):
        values = table.column(label).to_pylist()
        if None in values:
            row_id = table.column("row_id")[values.index(None)]
            raise mlm.DataError(f"row {row_id} of {_name(data)} has no {label}; every row needs one to learn from")
        counts.update(map(str, values))
    if len(counts) < 2:
        found = ", ".join(counts) or "none"
        raise mlm.DataError(f"{_name(data)} has fewer than two values in '{label}' (found: {found})")
    return counts


def _name(data: mlm.Dataset) -> str:
    return data.ref or data.path.name
