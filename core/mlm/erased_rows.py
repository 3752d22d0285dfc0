"""The rows that an erasure is about: which stored datasets hold them, and what those are without them.

Files are read and written by batches, so that memory does not grow with a dataset.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID
from mlm.dataset_writer import CHANGED, ParquetFile
from mlm.handles import stored
from mlm.holdings import files
from mlm.ledger import LOOKED_AT, Entry, Ledger
from mlm.row_groups import tables
from mlm.rows.naming import meant
from mlm.tallies import ERASE, Tally, lengths
from mlm_registry import Node, NotFound, Registry

if TYPE_CHECKING:
    import pyarrow as pa


@frozen
class Held:
    """A dataset with the number of rows that it must lose, by split; '' counts the removed rows."""

    node: Node
    rows: dict[str, int]


def id_meant(registry: Registry, row: str) -> str:
    """Return the id of a row that is named by it, its beginning or its source; as it is where none is stored.

    Raises:
        NotFound: Several rows are meant.
    """
    found = meant(registry, _living(registry), row)
    if len(found) > 1:
        raise NotFound(f"several rows were read from {row!r}, in one version or another: {', '.join(found)}; name one")
    return found[0] if found else row


def matching_ids(registry: Registry, ledger: Ledger, entry: Entry) -> set[str]:
    """Return the ids of all rows that an erasure is about, in datasets whose bytes are here."""
    found = (_ids(file, ledger, entry) for node in _living(registry) for _, file in _files(registry, node))
    return {row_id for ids in found for row_id in ids}


def held_rows(registry: Registry, ledger: Ledger, entry: Entry) -> list[Held]:
    """Return the datasets that hold rows of an erasure, the oldest first."""
    found = []
    for node in reversed(_living(registry)):
        counts = Counter[str]()
        for split, file in _files(registry, node):
            counts[split] += sum(1 for _ in _ids(file, ledger, entry))
        if any(counts.values()):
            found.append(Held(node, {split: count for split, count in counts.items() if count}))
    return found


def without(registry: Registry, ledger: Ledger, entry: Entry, held: Held, work: Path) -> Node | None:
    """Store a dataset without the rows; None where no row is left."""
    old = registry.objects.path(held.node.digest)
    folder = work / str(held.node.id)
    left, gone = 0, set[str]()
    for split, file in files(old):
        written = ParquetFile(folder / file.relative_to(old))
        for kept, ids in _parted(file, ledger, entry):
            gone.update(ids)
            written.write(kept)
        # What was removed is a file even where it holds nothing; a part of a split is none.
        _closed(written, file, empty=not split)
        left += written.rows if split else 0
    if (old / CHANGED).exists():
        changed = ParquetFile(folder / CHANGED)
        for table in tables([old / CHANGED]):
            changed.write(_kept(table, [row in gone for row in table.column(ROW_ID).to_pylist()]))
        _closed(changed, old / CHANGED, empty=True)
    folder.mkdir(parents=True, exist_ok=True)
    if not left:
        return None
    made = Dataset(folder)
    (folder / "statistics.json").write_text(json.dumps(_statistics(old, held.rows, made), indent=1), encoding="utf-8")
    return stored(registry, held.node.name, made)


def _living(registry: Registry) -> list[Node]:
    buried = registry.erasures.buried()
    datasets = registry.nodes(kind="dataset")
    return [node for node in datasets if node.id not in buried and registry.objects.has(node.digest)]


def _files(registry: Registry, node: Node) -> list[tuple[str, Path]]:
    return files(registry.objects.path(node.digest))


def _ids(file: Path, ledger: Ledger, entry: Entry) -> Iterator[str]:
    for _, ids in _parted(file, ledger, entry, LOOKED_AT):
        yield from ids


def _parted(
    file: Path, ledger: Ledger, entry: Entry, columns: Sequence[str] | None = None
) -> Iterator[tuple[pa.Table, list[str]]]:
    """Read a file by batches, each as the rows that stay and the ids of those that go."""
    for table in tables([file], columns):
        hits = ledger.matches(table, [entry])
        ids = table.column(ROW_ID).to_pylist() if any(hits) else []
        yield _kept(table, hits), [row_id for row_id, hit in zip(ids, hits, strict=False) if hit]


def _kept(table: pa.Table, hits: list[bool]) -> pa.Table:
    import pyarrow as pa

    return table.filter(pa.array([not hit for hit in hits], pa.bool_()))


def _closed(written: ParquetFile, old: Path, *, empty: bool) -> None:
    import pyarrow.parquet as pq

    written.close(pq.read_schema(old) if empty else None)


def _statistics(old: Path, lost: dict[str, int], made: Dataset) -> dict[str, Any]:
    """Count what is left; the chain tells what happened when the step ran, and last what the erasure took."""
    file = old / "statistics.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    rows = {split: count - lost.get(split, 0) for split, count in found.get("rows", {}).items()}
    chain, gone = list(found.get("chain", ())), sum(count for split, count in lost.items() if split)
    if gone:
        kept = made.num_rows
        chain.append(asdict(Tally(ERASE, kept + gone, kept, removed={"erased": gone}, lengths=lengths(made))))
    rows = {split: count for split, count in rows.items() if count}
    return {**found, "rows": rows, "chain": chain, "erased": sum(lost.values())}
