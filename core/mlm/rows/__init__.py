"""Rows of stored datasets, followed: what a dataset holds, how two differ, where a row went and why."""

from __future__ import annotations

from mlm.artifacts import Dataset
from mlm.errors import MlmError
from mlm.handles import handle
from mlm.inspecting import resolve
from mlm_registry import Node, Registry


def dataset_of(registry: Registry, ref: str) -> tuple[Node, Dataset]:
    """Return a dataset's node and its content; `facts@2/train` narrows it to a split. MlmError for another kind."""
    name, _, split = ref.partition("/")
    node = resolve(registry, name)
    if node.kind != "dataset":
        raise MlmError(f"{node.ref} is a {node.kind}, expected a dataset")
    content = handle(registry, node, split or None)
    assert isinstance(content, Dataset)
    return node, content
