"""From nodes of the registry to the typed handles that hooks take, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from mlm.artifacts import Dataset, Model, Report
from mlm_registry import Node, Registry


def handle(registry: Registry, node: Node, split: str | None = None) -> Dataset | Model | Report:
    """Return a node's content as a handle on a read-only folder."""
    path = registry.objects.path(node.digest)
    if node.kind == "dataset":
        dataset = Dataset(path, ref=node.ref, digest=node.digest)
        return dataset.narrowed(split) if split else dataset
    if node.kind == "model":
        return model_handle(registry, node)
    return Report((), path=path, ref=node.ref, digest=node.digest)


def model_handle(registry: Registry, node: Node) -> Model:
    """Return a model node's content as a handle on a read-only folder."""
    metadata = dict(node.metadata)
    library = str(metadata.pop("library", "transformers"))
    return Model(registry.objects.path(node.digest), library, node.ref, node.digest, metadata)


def joined(datasets: Sequence[Dataset]) -> Dataset:
    """Return several datasets as one that reads them in turn."""
    return evolve(datasets[0], more=tuple(datasets[1:]))


def stored(registry: Registry, name: str, made: Dataset | Model | Report) -> Node:
    """Put a hook's result into the object store and return its node, not yet recorded."""
    path = made.path
    if path is None:
        raise ValueError("a report is written to its folder before it is stored")
    digest = registry.objects.put(path)
    if isinstance(made, Dataset):
        from mlm.ngrams import build, is_small

        if is_small(made):
            build(made, digest, registry.folder / "indexes")
    kind, metadata = _described(made)
    return Node(name=name, kind=kind, digest=digest, size_bytes=registry.objects.size(digest), metadata=metadata)


def _described(made: Dataset | Model | Report) -> tuple[Any, dict[str, Any]]:
    if isinstance(made, Dataset):
        return "dataset", statistics(made.path)
    if isinstance(made, Model):
        return "model", {"library": made.library, **made.metadata}
    return "report", _covered(made)


def _covered(report: Report) -> dict[str, Any]:
    """Return the coverage of each measure that has one: a registry shows it where the report's bytes are not."""
    found = {measure.metric: measure.coverage for measure in report.measures if measure.coverage is not None}
    return {"coverage": found} if found else {}


def statistics(folder: Path) -> dict[str, Any]:
    """Return rows by split, removals by reason and changes of a dataset folder."""
    import json

    file = folder / "statistics.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
