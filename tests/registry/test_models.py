"""States, recalls, aliases and approvals."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlm_registry import Node, NotFound, Registry

Make = Callable[..., Node]


def test_a_new_model_is_a_candidate_and_a_dataset_is_no_version(registry: Registry, make: Make) -> None:
    model, data = make("chat"), make("facts", "dataset")

    assert (registry.models.version("chat").state, registry.models.version("chat").recalled) == ("candidate", False)
    assert [model] == [version.node for version in registry.models.versions()]
    with pytest.raises(NotFound, match="facts@1 is a dataset, not a model"):
        registry.models.version(data.id)


def test_states_keep_their_history(registry: Registry, make: Make) -> None:
    node = make()

    registry.models.set_state(node.id, "approved", by="ana", reason="gates passed")
    registry.models.set_state(node.id, "retired", by="bo", reason="superseded")

    assert registry.models.version(node.id).state == "retired"
    changes = registry.database.query('SELECT change, "by" FROM version_changes ORDER BY id')
    assert changes == [("approved", "ana"), ("retired", "bo")]
    assert [event.action for event in registry.audit.events(subject="chat@1")] == ["model.state"] * 2


def test_an_alias_points_where_it_was_moved_last_and_forgets_nothing(registry: Registry, make: Make) -> None:
    first, second = make(), make()

    for node in (first, second, first):
        registry.models.move_alias("production", node.id, by="ana", reason="because")

    current = registry.models.alias("production")
    assert current is not None
    assert first.id == current.node
    assert [current] == registry.models.aliases()
    assert [first.id, second.id, first.id] == [alias.node for alias in registry.models.history("production")]
    assert registry.models.alias("staging") is None


def test_an_alias_of_a_dataset_is_refused_and_leaves_no_audit_row(registry: Registry, make: Make) -> None:
    data = make("facts", "dataset")

    with pytest.raises(NotFound):
        registry.models.move_alias("production", data.id, by="ana", reason="because")

    assert registry.audit.events() == []


def test_approvals_are_found_by_subject_and_action(registry: Registry) -> None:
    given = registry.models.approve("chat@1", "promote", by="ana", reason="good")
    registry.models.approve("chat@2", "promote", by="ana", reason="good")

    assert [given] == registry.models.approvals(subject="chat@1", action="promote")
    assert len(registry.models.approvals()) == 2
