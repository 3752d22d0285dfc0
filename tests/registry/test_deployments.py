"""Desired and observed state of deployments."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlm_registry import Arm, Node, NotFound, Observation, Registry

Make = Callable[..., Node]


def test_a_change_of_mind_is_a_new_revision(registry: Registry, make: Make) -> None:
    old, new = make(), make()

    registry.deployments.desire("api", [Arm(old.id, 1.0)], by="ana", reason="first")
    canary = registry.deployments.desire("api", [Arm(old.id, 0.95), Arm(new.id, 0.05)], by="ana", reason="canary")

    assert canary == registry.deployments.current("api")
    assert [deployment.revision for deployment in registry.deployments.history("api")] == [2, 1]
    assert registry.deployments.names() == ["api"]
    assert registry.deployments.serving(new.id) == [("api", 0.05)]


def test_only_the_newest_revision_serves(registry: Registry, make: Make) -> None:
    old, new = make(), make()

    for node in (old, new):
        registry.deployments.desire("api", [Arm(node.id, 1.0)], by="ana", reason="next")

    assert registry.deployments.serving(old.id) == []


def test_a_deployment_serves_models_only(registry: Registry, make: Make) -> None:
    data = make("facts", "dataset")

    with pytest.raises(NotFound, match=f"deployment 'api' cannot serve node {data.id}"):
        registry.deployments.desire("api", [Arm(data.id, 1.0)], by="ana", reason="mistake")
    assert registry.deployments.current("api") is None


def test_an_observation_replaces_the_one_before(registry: Registry) -> None:
    registry.deployments.observe(Observation("api", 1, "http://localhost", 7))
    seen = registry.deployments.observe(Observation("api", 2, "http://localhost", 7, (Arm(1, 1.0),), "no weights"))

    assert seen == registry.deployments.observation("api")
    assert seen.heartbeat > 0
    assert registry.deployments.observation("other") is None
