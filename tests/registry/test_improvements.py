"""Proposals and amendments."""

from __future__ import annotations

import pytest

from mlm_registry import Amendment, NotFound, Proposal, Registry, RegistryError


def test_a_proposal_is_open_until_somebody_decides(registry: Registry) -> None:
    proposal = Proposal("Learn", "low rating", ("retrain",), ({"op": "add"},), {"rate": 0.2}, by="corrections")

    proposed = registry.improvements.propose(proposal)
    assert [proposed] == registry.improvements.proposals("open")

    decided = registry.improvements.decide(proposed.id, "approved", by="ana", reason="good")
    assert registry.improvements.proposals("open") == []
    assert decided == registry.improvements.proposal(proposed.id)
    with pytest.raises(NotFound, match="no proposal has id 9"):
        registry.improvements.decide(9, "approved", by="ana", reason="good")


@pytest.mark.parametrize("value", ["feedback@1", 0.05, [1, 2], {"a": None}, True])
def test_an_amendment_keeps_any_value(registry: Registry, value: object) -> None:
    amended = registry.improvements.amend(Amendment("set", "requirements.hallucination", value, key="max", by="ana"))

    assert [amended] == registry.improvements.amendments()
    assert value == registry.improvements.amendments()[0].value


def test_a_revoked_amendment_is_out_of_force_and_not_forgotten(registry: Registry) -> None:
    first, second = (registry.improvements.amend(Amendment("add", "facts", ref, by="ana")) for ref in ("a@1", "b@1"))

    revoked = registry.improvements.revoke(first.id, by="ana", reason="mistake")

    assert [second] == registry.improvements.amendments()
    assert [revoked, second] == registry.improvements.amendments(include_revoked=True)
    with pytest.raises(RegistryError, match="revoked already"):
        registry.improvements.revoke(first.id, by="ana", reason="again")


def test_the_audit_row_of_an_amendment_does_not_hold_its_value(registry: Registry) -> None:
    registry.improvements.amend(Amendment("set", "data.facts", "private", key="path", by="ana"))

    assert "private" not in str(registry.audit.events())
