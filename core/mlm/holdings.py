"""Which stored datasets hold which rows: the way from a row, a source or a person to the graph, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID, SOURCE
from mlm.row_groups import tables
from mlm_registry import Node, Registry

if TYPE_CHECKING:
    import pyarrow as pa

Match = Callable[["pa.Table"], Any]
"""Takes a table with at least `row_id` and `source`; returns a boolean Arrow array, true at the rows that are meant."""
PARENTS = "parents"
"""Column of a merged row: the ids of the rows that it was made of."""


@frozen
class Holding:
    """Rows that one file of a stored dataset holds; `split` is empty where they are among the removed rows."""

    node: Node
    split: str
    rows: tuple[tuple[str, str], ...]
    """(row_id, source) of each row, in the order of the file."""


def holdings(registry: Registry, match: Match, nodes: Iterable[Node] | None = None) -> list[Holding]:
    """Find matching rows in datasets, all of them unless some are given; those whose bytes are gone hold nothing."""
    nodes = registry.nodes(kind="dataset") if nodes is None else nodes
    read: dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]] = {}
    found = []
    for node in nodes:
        if node.digest not in read:
            read[node.digest] = list(_matching(registry, node, match))
        found += [Holding(node, split, rows) for split, rows in read[node.digest]]
    return found


def _matching(registry: Registry, node: Node, match: Match) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    if not registry.objects.has(node.digest):
        return
    for split, file in files(registry.objects.path(node.digest)):
        rows: list[tuple[str, str]] = []
        for table in tables([file]):
            if {ROW_ID, SOURCE} <= set(table.column_names):
                found = table.filter(match(table)).select([ROW_ID, SOURCE]).to_pylist()
                rows += [(row[ROW_ID], row[SOURCE]) for row in found]
        if rows:
            yield split, tuple(rows)


def files(folder: Path) -> list[tuple[str, Path]]:
    """List (split, file) of a dataset folder; the removed rows have no split."""
    dataset = Dataset(folder)
    splits = [(split, file) for split in dataset.splits for file in dataset.narrowed(split).files]
    removed = folder / "removed.parquet"
    return splits + ([("", removed)] if removed.exists() else [])


def of_row(row_id: str) -> Match:
    """Match a row by its id, its copies in mixtures (`id#2`), and what was merged from it."""

    def match(table: pa.Table) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        ids = table.column(ROW_ID)
        found = pc.or_(pc.equal(ids, row_id), pc.starts_with(ids, f"{row_id}#"))
        if PARENTS in table.column_names:
            merged = [row_id in (parents or ()) for parents in table.column(PARENTS).to_pylist()]
            found = pc.or_(found, pa.array(merged, pa.bool_()))
        return found

    return match


def of_source(source: str) -> Match:
    """Match rows by their source: a file (`facts.jsonl`), a line of it (`facts.jsonl:12`), or an exchange."""

    def match(table: pa.Table) -> Any:
        import pyarrow.compute as pc

        sources = table.column(SOURCE)
        return pc.or_(pc.equal(sources, source), pc.starts_with(sources, f"{source}:"))

    return match
