"""Model cards and dataset cards (Mitchell et al. 2019, Gebru et al. 2021), written from the registry."""

from __future__ import annotations

from mlm.artifacts import Card
from mlm.cards.datasets import dataset_card
from mlm.cards.models import model_card
from mlm.errors import MlmError
from mlm.inspecting import resolve
from mlm.workspace import Workspace

__all__ = ["card_of", "dataset_card", "model_card"]


def card_of(workspace: Workspace, ref: str) -> Card:
    """Write the card of a model or a dataset; MlmError where the node is neither."""
    node = resolve(workspace.registry, ref)
    if node.kind == "model":
        return model_card(workspace, node.ref)
    if node.kind == "dataset":
        return dataset_card(workspace, node.ref)
    raise MlmError(f"{node.ref} is a {node.kind}: only a model or a dataset has a card")
