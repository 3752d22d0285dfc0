"""Which rows a user means: by where they were read from, or by how their id begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from mlm.batches import ROW_ID, SOURCE
from mlm.holdings import files
from mlm_registry import Node, NotFound, Registry

_NAMED = 3
"""Rows that a message names where an id could go on in several ways."""


def meant(registry: Registry, nodes: Iterable[Node], row: str) -> list[str]:
    """Return the ids of rows that these datasets hold or removed; a copy in a mixture (`id#2`) is its row.

    Args:
        row: A source as `mlm data show` gives it (`facts.jsonl:12`), perhaps with folders before it; or an id, or
            the beginning of one.

    Raises:
        NotFound: Several ids begin so.
    """
    parts = PurePath(row).parts
    sources = ["/".join(parts[place:]) for place in range(len(parts))]
    by_source, by_start = dict[str, str](), dict[str, str]()
    for row_id, source in (hit for node in nodes for hit in _hits(registry, node, sources, row)):
        if source in sources:
            by_source.setdefault(row_id, source)
        elif row_id == row or len(by_start) <= _NAMED:
            by_start.setdefault(row_id, source)
    if row in by_start:
        return [row]
    if not by_source and len(by_start) > 1:
        some = ", ".join(f"{row_id} at {source}" for row_id, source in list(by_start.items())[:_NAMED])
        more = " and more" if len(by_start) > _NAMED else ""
        raise NotFound(f"several ids begin with {row!r}: {some}{more}; add characters")
    return list(by_source or by_start)


def _hits(registry: Registry, node: Node, sources: list[str], start: str) -> Iterator[tuple[str, str]]:
    """Read (id, source) of the rows that have one of the sources, or whose id begins so."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for _, file in files(registry.objects.path(node.digest)):
        with pq.ParquetFile(file) as parquet:
            if not {ROW_ID, SOURCE} <= set(parquet.schema_arrow.names):
                continue
            for batch in parquet.iter_batches(columns=[ROW_ID, SOURCE]):
                named = pc.is_in(batch.column(SOURCE), pa.array(sources, pa.string()))
                for hit in batch.filter(pc.or_(named, pc.starts_with(batch.column(ROW_ID), start))).to_pylist():
                    yield hit[ROW_ID].partition("#")[0], hit[SOURCE]
