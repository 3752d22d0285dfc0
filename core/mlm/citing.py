"""The training rows that are most similar to a response. Similar, never caused: nobody knows what a model learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from mlm.artifacts import Dataset
from mlm.batches import ROW_ID, SOURCE, TEXT_COLUMNS
from mlm.conversations import text_of
from mlm.handles import handle
from mlm.ngrams import NgramIndex, opened
from mlm_registry import Node, Registry

if TYPE_CHECKING:
    import numpy as np

TEACHING = ("training", "alignment")
"""Stages whose datasets a model learns from."""


@frozen
class Citation:
    """A training row and how similar it is to a response: the share of the response's n-grams that it holds."""

    similarity: float
    ref: str
    split: str
    row_id: str
    source: str
    file: str
    """The raw file and line that the row was read from, where they are known."""
    text: str
    relation: Literal["similar"] = "similar"


def cite(registry: Registry, response: str, top: int = 5) -> list[Citation]:
    """Return the rows most similar to a recorded response, the most similar first.

    Rows that are equally similar to the response stand in the order of their similarity to its prompt.

    Raises:
        NotFound: No response of that id was recorded.
    """
    exchange = registry.exchanges.get(response)
    found: list[tuple[float, float, Node, NgramIndex, int]] = []
    for node, splits in taught_by(registry, exchange.node):
        index = opened(Dataset(registry.objects.path(node.digest)), node.digest, registry.folder / "indexes")
        mask = index.within(splits)
        answer, asked = index.similarity(exchange.response) * mask, index.similarity(exchange.prompt) * mask
        found += [(float(answer[i]), float(asked[i]), node, index, i) for i in _best(answer, asked, top)]
    # Rows that went through several datasets are named where they were read last.
    found.sort(key=lambda hit: (-hit[0], -hit[1], -hit[2].id, hit[4]))
    cited: dict[str, Citation] = {}
    for similarity, _, node, index, row in found:
        citation = _cited(registry, similarity, node, *index.split_of(row))
        cited.setdefault(citation.row_id, citation)
        if len(cited) == top:
            break
    return list(cited.values())


def taught_by(registry: Registry, model: int) -> list[tuple[Node, list[str]]]:
    """List the datasets that a model, or a model it came from, was trained on, with their splits; '' means all."""
    splits: dict[int, list[str]] = {}
    nodes: dict[int, Node] = {}
    for node in registry.nodes_of([model, *registry.graph.upstream(model)]):
        if node.kind != "model" or registry.execution(node.execution).stage not in TEACHING:
            continue
        if node.metadata.get("library") == "tokenizers":
            continue
        for _, source, split in registry.inputs(node):
            if source.kind == "dataset" and registry.objects.has(source.digest):
                nodes[source.id] = source
                splits.setdefault(source.id, []).append(split)
    return [(nodes[id], names) for id, names in splits.items()]


def _best(answer: np.ndarray, asked: np.ndarray, top: int) -> list[int]:
    import numpy as np

    # More than are wanted: the same row may be in several datasets.
    order = np.lexsort((-asked, -answer))[: 4 * top]
    return [int(i) for i in order if answer[i] > 0]


def _cited(registry: Registry, similarity: float, node: Node, split: str, row: int) -> Citation:
    dataset = handle(registry, node, split)
    assert isinstance(dataset, Dataset)
    values = _row(dataset, row)
    source = str(values[SOURCE])
    text = text_of(values, TEXT_COLUMNS)
    return Citation(similarity, node.ref, split, str(values[ROW_ID]), source, raw_file(registry, node, source), text)


def _row(dataset: Dataset, number: int) -> dict[str, Any]:
    names = [ROW_ID, SOURCE, *TEXT_COLUMNS]
    first = 0
    for batch in dataset.batches(8192):
        if number < first + batch.num_rows:
            row: dict[str, Any] = batch.slice(number - first, 1).to_pylist()[0]
            return {name: value for name, value in row.items() if name in names}
        first += batch.num_rows
    raise IndexError(number)


def raw_file(registry: Registry, node: Node, source: str) -> str:
    """Return the path and line of a row's source: sources name the file, the step that read it knows the folder."""
    name, colon, line = source.rpartition(":")
    for reader in registry.nodes_of([node.id, *registry.graph.upstream(node.id)]):
        if reader.kind == "dataset" and reader.execution:
            path = registry.execution(reader.execution).settings.get("path")
            if isinstance(path, str) and Path(path).name == name:
                return f"{path}{colon}{line}"
    return ""
