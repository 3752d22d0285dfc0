"""How two versions of a dataset differ, row by row.

Rows are told apart by their ids, which come from the source: a row that the source changed is another row, a row that
only the chain treats otherwise is a changed one. In memory is a hash of each id and of each content, 16 bytes a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID, SOURCE
from mlm.row_groups import tables
from mlm.rows import dataset_of
from mlm.rows.wording import because, differing, words_of
from mlm.tallies import lengths
from mlm_registry import Node, Registry

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NOT_READ = "not in the source any more"
"""Reason of a row that the new version neither holds nor removed."""


@frozen
class Difference:
    """One row that is not the same in both versions, before and after; empty where it is not there."""

    row_id: str
    source: str
    reason: str
    before: str
    after: str
    columns: Mapping[str, tuple[str, str]] = {}
    """Of a changed row: what each column that is not the same held before, and holds after."""


@frozen
class Comparison:
    """What is in one version of a dataset and not in the other."""

    old: str
    new: str
    rows: tuple[int, int]
    added: int
    removed: int
    changed: int
    same: int
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    removed_because: Mapping[str, int]
    """Number of removed rows by `step: reason` of the new version."""
    lengths: tuple[Mapping[str, int], Mapping[str, int]]
    """Rows by the characters of their texts, in each version."""
    examples: Mapping[str, tuple[Difference, ...]]
    """Some of the rows that were added, removed and changed."""


@frozen
class _Side:
    """One version, with the hashes of its rows in their order."""

    node: Node
    data: Dataset
    ids: np.ndarray
    contents: np.ndarray


def compare(registry: Registry, old: str, new: str, examples: int = 3) -> Comparison:
    """Compare two datasets by their row ids; content is compared in the columns that both have."""
    import numpy as np

    sides = [dataset_of(registry, ref) for ref in (old, new)]
    columns = [_columns(data) for _, data in sides]
    shared = [name for name in columns[0] if name in columns[1] and name not in (ROW_ID, SOURCE)]
    before, after = (_Side(node, data, *_hashed(data, shared)) for node, data in sides)
    common, at_old, at_new = np.intersect1d(before.ids, after.ids, return_indices=True)
    differs = common[before.contents[at_old] != after.contents[at_new]]
    gone, fresh = np.setdiff1d(before.ids, common), np.setdiff1d(after.ids, common)
    return Comparison(
        old=before.node.ref,
        new=after.node.ref,
        rows=(len(before.ids), len(after.ids)),
        added=len(fresh),
        removed=len(gone),
        changed=len(differs),
        same=len(common) - len(differs),
        columns_added=tuple(name for name in columns[1] if name not in columns[0]),
        columns_removed=tuple(name for name in columns[0] if name not in columns[1]),
        removed_because=_because(before, after, gone),
        lengths=(lengths(before.data), lengths(after.data)),
        examples={
            "added": _examples(before, after, fresh[:examples]),
            "removed": _examples(before, after, gone[:examples]),
            "changed": _examples(before, after, differs[:examples]),
        },
    )


def _columns(data: Dataset) -> list[str]:
    import pyarrow.parquet as pq

    return list(dict.fromkeys(name for file in data.files for name in pq.read_schema(file).names))


def _hashed(data: Dataset, columns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the hash of each row's id, and of what it holds in those columns, uint64."""
    import numpy as np

    ids, contents = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for batch in data.batches(16_384):
        ids.append(_id_hashes(batch.column(ROW_ID).to_pylist()))
        names = batch.schema.names
        held = [batch.column(name).to_pylist() if name in names else [None] * batch.num_rows for name in columns]
        rows = zip(*held, strict=True) if held else [()] * batch.num_rows
        contents.append(np.array([_hash(repr(row)) for row in rows], np.uint64))
    return np.concatenate(ids), np.concatenate(contents)


def _id_hashes(ids: list[str]) -> np.ndarray:
    import numpy as np

    return np.array([_hash(row) for row in ids], np.uint64)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _because(before: _Side, after: _Side, gone: np.ndarray) -> dict[str, int]:
    """Count why the new version lacks rows of the old one."""
    import numpy as np

    counts: dict[str, int] = {}
    found = 0
    for removals in _removals(after.data):
        hit = np.isin(_id_hashes(removals[ROW_ID].to_pylist()), gone)
        for row in removals.filter(_mask(hit)).to_pylist():
            name = f"{row['step']}: {row['reason']}"
            counts[name] = counts.get(name, 0) + 1
            found += 1
    return counts | ({NOT_READ: len(gone) - found} if len(gone) > found else {})


def _removals(data: Dataset) -> Any:
    return tables([data.path / "removed.parquet"], [ROW_ID, "step", "reason", "detail"])


def _examples(before: _Side, after: _Side, wanted: np.ndarray) -> tuple[Difference, ...]:
    old, new = _rows(before.data, wanted), _rows(after.data, wanted)
    reasons = _reasons(after.data, wanted)
    found = []
    for key in dict.fromkeys([*old, *new]):
        row = new.get(key) or old[key]
        reason = reasons.get(key, "" if key in new else NOT_READ)
        was, now = old.get(key, {}), new.get(key, {})
        found.append(Difference(key, str(row[SOURCE]), reason, words_of(was), words_of(now), differing(was, now)))
    return tuple(found)


def _rows(data: Dataset, wanted: np.ndarray) -> dict[str, dict[str, Any]]:
    import numpy as np

    def hits() -> Any:
        for batch in data.batches(16_384):
            mask = np.isin(_id_hashes(batch.column(ROW_ID).to_pylist()), wanted)
            if mask.any():
                yield from batch.filter(_mask(mask)).to_pylist()

    return {row[ROW_ID]: row for row in islice(hits(), len(wanted))}


def _mask(values: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(values)


def _reasons(data: Dataset, wanted: np.ndarray) -> dict[str, str]:
    import numpy as np

    found: dict[str, str] = {}
    for table in _removals(data):
        mask = np.isin(_id_hashes(table[ROW_ID].to_pylist()), wanted)
        for row in table.filter(_mask(mask)).to_pylist():
            found[row[ROW_ID]] = because(row["step"], row["reason"], row["detail"])
    return found
