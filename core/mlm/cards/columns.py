"""Columns of a stored dataset in the Hub's words for types."""

from __future__ import annotations

from importlib.util import find_spec

from mlm.artifacts import Dataset
from mlm_registry import Node, Registry

# Arrow's names, where the `datasets` library has another.
_TYPES = {"double": "float64", "float": "float32", "halffloat": "float16", "bool": "bool"}
_PLAIN = ("string", "large_string", "int", "uint", "float", "double", "halffloat", "bool", "timestamp", "date")


def features(registry: Registry, node: Node) -> list[dict[str, str]]:
    """Return name and type of each column.

    Empty where the bytes are not here, where pyarrow is not installed, or where a column is nested: a wrong
    declaration would keep `datasets` from loading the files.
    """
    if not registry.objects.has(node.digest) or find_spec("pyarrow") is None:
        return []
    import pyarrow.parquet as pq

    files = Dataset(registry.objects.path(node.digest)).files
    if not files:
        return []
    fields = [(f.name, str(f.type)) for f in pq.read_schema(files[0])]
    if not all(kind.startswith(_PLAIN) for _, kind in fields):
        return []
    return [{"name": name, "dtype": _TYPES.get(kind, kind)} for name, kind in fields]
