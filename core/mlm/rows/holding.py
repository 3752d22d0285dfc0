"""What a stored dataset holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from mlm.artifacts import Dataset
from mlm.rows import dataset_of
from mlm.tallies import reasons
from mlm_registry import Node, Registry


@frozen
class Column:
    """A column with its Arrow type, and in how many rows it is null (not counted for lists and records)."""

    name: str
    type: str
    nulls: int | None


@frozen
class Input:
    """A dataset that another was made of, or compared with, and how many rows it had."""

    role: str
    ref: str
    split: str
    rows: int

    def __str__(self) -> str:
        part = f"/{self.split}" if self.split else ""
        return f"{self.ref}{part}, {self.rows:,} row{'s' * (self.rows != 1)}"


@frozen
class Held:
    """A dataset with its columns, its chain and its first rows."""

    ref: str
    path: str
    rows: Mapping[str, int]
    """By split."""
    inputs: tuple[Input, ...]
    """What its step read of others: datasets that it mixed or was compared with."""
    columns: tuple[Column, ...]
    chain: tuple[Mapping[str, Any], ...]
    """What each transform did: step, rows_in, rows_out, changed, removed, lengths."""
    removed: Mapping[str, int]
    changed: Mapping[str, int]
    first: tuple[Mapping[str, Any], ...]


def held(registry: Registry, ref: str, rows: int = 3) -> Held:
    """Describe a dataset, with its first rows."""
    node, data = dataset_of(registry, ref)
    splits = [data.split] if data.split else data.splits
    return Held(
        ref=node.ref,
        path=str(data.path),
        rows={split: data.narrowed(split).num_rows for split in splits},
        inputs=tuple(_inputs(registry, node)),
        columns=tuple(_columns(data)),
        chain=tuple(node.metadata.get("chain", ())),
        removed=reasons(data, "removed.parquet"),
        changed=reasons(data, "changed.parquet"),
        first=tuple(_first(data, rows)),
    )


def _inputs(registry: Registry, node: Node) -> Iterator[Input]:
    for role, source, split in registry.inputs(node):
        if source.kind == "dataset":
            rows = source.metadata.get("rows", {})
            yield Input(role, source.ref, split, rows.get(split, 0) if split else sum(rows.values()))


def _columns(data: Dataset) -> list[Column]:
    import pyarrow.parquet as pq

    types: dict[str, str] = {}
    nulls: dict[str, int] = {}
    for file in data.files:
        types |= {column.name: str(column.type) for column in pq.read_schema(file)}
        metadata = pq.read_metadata(file)
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for place in range(group.num_columns):
                column = group.column(place)
                counted = column.statistics.null_count if column.is_stats_set else 0
                if column.path_in_schema in types:
                    nulls[column.path_in_schema] = nulls.get(column.path_in_schema, 0) + (counted or 0)
    return [Column(name, kind, nulls.get(name)) for name, kind in types.items()]


def _first(data: Dataset, count: int) -> list[dict[str, Any]]:
    rows = data.rows()
    return [row for _, row in zip(range(count), rows, strict=False)]
