"""Recalls: flags on nodes, each with its reason, until each is undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlm_registry import Node, NotFound, Registry, RegistryError

Make = Callable[..., Node]


def test_a_recall_flags_any_node_and_can_be_undone(registry: Registry, make: Make) -> None:
    data, model = make("facts", "dataset"), make("chat")

    registry.recalls.add("facts@1", [data.id], by="ana", reason="poisoned")
    recall = registry.recalls.add("chat@1", [model.id], by="ana", reason="leaks")
    assert {data.id, model.id} == registry.recalls.recalled([data.id, model.id, 99])
    assert registry.models.version("chat").recalled

    registry.recalls.undo(recall.id, by="bo", reason="mistake")
    assert not registry.models.version("chat").recalled
    assert {data.id} == registry.recalls.recalled([data.id, model.id])
    assert [standing.subject for standing in registry.recalls.standing()] == ["facts@1"]
    assert [event.action for event in registry.audit.events(subject="chat@1")] == ["recall.undo", "recall"]


def test_a_node_recalled_twice_stays_recalled_when_one_recall_is_undone(registry: Registry, make: Make) -> None:
    model = make("chat")
    first = registry.recalls.add("chat@1", [model.id], by="ana", reason="leaks")
    registry.recalls.add("plugin:mlm:trainers/sft@0.1", [model.id], by="ana", reason="a bad release")

    registry.recalls.undo(first.id, by="ana", reason="mistake")

    assert registry.models.version("chat").recalled


def test_a_sibling_with_equal_bytes_is_not_recalled(registry: Registry, make: Make) -> None:
    bad, clean = make("bad", "dataset", content=b"same"), make("clean", "dataset", content=b"same")

    registry.recalls.add("bad@1", [bad.id], by="ana", reason="poisoned")

    assert bad.digest == clean.digest
    assert set() == registry.recalls.recalled([clean.id])


def test_what_cannot_be_recalled_is_said(registry: Registry, make: Make) -> None:
    recall = registry.recalls.add("chat@1", [make("chat").id], by="ana", reason="leaks")
    registry.recalls.undo(recall.id, by="ana", reason="mistake")

    with pytest.raises(RegistryError, match="undone already"):
        registry.recalls.undo(recall.id, by="ana", reason="again")
    with pytest.raises(NotFound, match="no recall has id 9"):
        registry.recalls.undo(9, by="ana", reason="mistake")
    with pytest.raises(NotFound, match="no node has id 99"):
        registry.recalls.add("x@1", [99], by="ana", reason="poisoned")
    assert registry.recalls.standing() == []
