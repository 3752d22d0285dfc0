"""The way of one row: where it was read, what each transform did to it, and what learned from it."""

from __future__ import annotations

from typing import Any, Literal

from attrs import frozen

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID, SOURCE
from mlm.citing import raw_file
from mlm.handles import handle
from mlm.holdings import of_row
from mlm.row_groups import tables
from mlm.rows import dataset_of
from mlm.rows.naming import meant
from mlm.rows.wording import words_of
from mlm_registry import Node, NotFound, Registry

Happened = Literal["read", "kept", "changed", "removed"]


@frozen
class Stop:
    """What one transform did to the row."""

    step: str
    happened: Happened
    reason: str = ""
    detail: str = ""


@frozen
class Way:
    """A row's way through one dataset version."""

    row_id: str
    dataset: str
    source: str
    file: str
    """The raw file and line that the row was read from, where they are known."""
    split: str
    """Where it is now; empty where it was removed."""
    text: str
    """What it holds now; of a removed row what was kept of it, at most 2,000 characters."""
    stops: tuple[Stop, ...]
    used_by: tuple[str, ...]
    """What was made of the split that holds it: models, reports, further datasets."""


def ways(registry: Registry, row: str, ref: str | None = None, *, every_version: bool = False) -> list[Way]:
    """Follow a row through the datasets that hold or removed it, the oldest first.

    Args:
        row: Its id, where it was read from (`facts.jsonl:12`), or how its id begins.
        ref: Only this dataset; without it the newest version of each.
        every_version: Older versions too.

    Raises:
        NotFound: No dataset has seen such a row, or several ids begin so.
    """
    nodes = [dataset_of(registry, ref)[0]] if ref else _datasets(registry, every_version)
    nodes = [node for node in nodes if registry.objects.has(node.digest)]
    found = [way for node in nodes for way in _ways(registry, node, row)]
    if not found:
        found = [
            way for row_id in meant(registry, nodes, row) for node in nodes for way in _ways(registry, node, row_id)
        ]
    if not found:
        where = ref or "any stored dataset"
        expected = "an id (or its beginning) or a source such as facts.jsonl:12, as `mlm data show` gives them"
        raise NotFound(f"no row {row!r} in {where}, kept or removed; expected {expected}")
    return found


def _datasets(registry: Registry, every_version: bool) -> list[Node]:
    nodes = registry.nodes(kind="dataset")[::-1]
    return nodes if every_version else sorted({node.name: node for node in nodes}.values(), key=lambda node: node.id)


def _ways(registry: Registry, node: Node, row_id: str) -> list[Way]:
    content = handle(registry, node)
    assert isinstance(content, Dataset)
    chain = [str(link["step"]) for link in node.metadata.get("chain", ())]
    changes = _changes(content, row_id)
    found = []
    for split in content.splits:
        for row in _rows(content.narrowed(split), row_id):
            stops = _stops(chain, changes.get(row[ROW_ID], []), None)
            found.append(_way(registry, node, row, split, words_of(row), stops))
    for row in _removed(content, row_id):
        stops = _stops(chain, changes.get(row[ROW_ID], []), row)
        found.append(_way(registry, node, row, "", row["text"] or "", stops))
    return found


def _way(registry: Registry, node: Node, row: dict[str, Any], split: str, text: str, stops: tuple[Stop, ...]) -> Way:
    source = str(row[SOURCE])
    used = _used_by(registry, node, split) if split else ()
    return Way(row[ROW_ID], node.ref, source, raw_file(registry, node, source), split, text, stops, used)


def _used_by(registry: Registry, node: Node, split: str) -> tuple[str, ...]:
    edges = [e for e in registry.graph.edges([node.id, *registry.graph.downstream(node.id)]) if e.source == node.id]
    made = registry.nodes_of({edge.target for edge in edges if edge.split in ("", split)})
    return tuple(one.ref for one in made)


def _stops(chain: list[str], changes: list[dict[str, Any]], removed: dict[str, Any] | None) -> tuple[Stop, ...]:
    """Lay what is known of a row beside the chain; a transform that comes twice is met in order."""
    waiting = list(changes)
    stops: list[Stop] = []
    for place, step in enumerate(chain):
        own = [change for change in waiting if change["step"] == step]
        last = removed is not None and removed["step"] == step and step not in chain[place + 1 :]
        for change in own if step not in chain[place + 1 :] else own[:1]:
            waiting.remove(change)
            stops.append(Stop(step, "changed", change["reason"], change["detail"] or ""))
        if last and removed is not None:
            stops.append(Stop(step, "removed", removed["reason"], removed["detail"] or ""))
            break
        if not own:
            stops.append(Stop(step, "kept" if place else "read"))
    return tuple(stops)


def _rows(data: Dataset, row_id: str) -> list[dict[str, Any]]:
    import pyarrow as pa

    match = of_row(row_id)
    found: list[dict[str, Any]] = []
    for batch in data.batches(16_384):
        table = pa.Table.from_batches([batch])
        found += table.filter(match(table)).to_pylist()
    return found


def _removed(data: Dataset, row_id: str) -> list[dict[str, Any]]:
    return _filtered(data, "removed.parquet", row_id)


def _changes(data: Dataset, row_id: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _filtered(data, "changed.parquet", row_id):
        found.setdefault(row[ROW_ID], []).append(row)
    return found


def _filtered(data: Dataset, file: str, row_id: str) -> list[dict[str, Any]]:
    match = of_row(row_id)
    return [row for table in tables([data.path / file]) for row in table.filter(match(table)).to_pylist()]
