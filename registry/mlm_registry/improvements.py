"""Improvements: proposals of monitors, and the amendments that people made of them."""

from __future__ import annotations

import time

from attrs import evolve

from mlm_registry.audit import Audit
from mlm_registry.database import Database
from mlm_registry.errors import NotFound, RegistryError
from mlm_registry.records.changes import AMENDMENTS, PROPOSALS, Amendment, Proposal, ProposalState
from mlm_registry.rows import where
from mlm_registry.seals import seal


class Improvements:
    """What should change, and what was allowed to."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def propose(self, proposal: Proposal) -> Proposal:
        """Store a proposal, open until somebody decides."""
        proposed = evolve(proposal, at=proposal.at or time.time(), id=0)
        with self._database.transaction() as connection:
            proposed = evolve(proposed, id=PROPOSALS.insert(connection, proposed))
            seal(connection, "proposals", proposed.id)
        return proposed

    def proposals(self, state: ProposalState | None = None) -> list[Proposal]:
        """List proposals, newest first."""
        tail, parameters = where(state=state, order="id DESC")
        return [PROPOSALS.load(row) for row in self._database.query(PROPOSALS.select(tail), parameters)]

    def proposal(self, proposal_id: int) -> Proposal:
        """Find one proposal."""
        found = self._database.query(PROPOSALS.select("WHERE id = ?"), [proposal_id])
        if not found:
            raise NotFound(f"no proposal has id {proposal_id}")
        return PROPOSALS.load(found[0])

    def decide(
        self, proposal_id: int, state: ProposalState, *, by: str, reason: str, expected: ProposalState | None = None
    ) -> Proposal:
        """Move a proposal to another state; RegistryError where it is not in the expected one any more."""
        with self._database.transaction(durable=True) as connection:
            proposal = self.proposal(proposal_id)
            if expected and proposal.state != expected:
                raise RegistryError(f"proposal {proposal_id} is {proposal.state}, not {expected}: somebody decided it")
            connection.execute("UPDATE proposals SET state = ? WHERE id = ?", (state, proposal_id))
            seal(connection, "proposals", proposal_id)
            detail = {"from": proposal.state, "to": state, "reason": reason}
            self._audit.append("proposal.decide", f"proposal {proposal_id}", by=by, detail=detail)
        return evolve(proposal, state=state)

    def amend(self, amendment: Amendment) -> Amendment:
        """Store a change of intent that stands beside the project file."""
        made = evolve(amendment, at=amendment.at or time.time(), revoked=None, id=0)
        with self._database.transaction(durable=True) as connection:
            made = evolve(made, id=AMENDMENTS.insert(connection, made))
            seal(connection, "amendments", made.id)
            # Ids and keys only: the value of a setting may be content.
            detail = {"op": made.op, "target": made.target, "key": made.key, "proposal": made.proposal}
            self._audit.append("amendment.add", f"amendment {made.id}", by=made.by, detail=detail)
        return made

    def amendments(self, include_revoked: bool = False) -> list[Amendment]:
        """List the amendments in force, oldest first."""
        tail = "ORDER BY id" if include_revoked else "WHERE revoked IS NULL ORDER BY id"
        return [AMENDMENTS.load(row) for row in self._database.query(AMENDMENTS.select(tail))]

    def revoke(self, id: int, *, by: str, reason: str) -> Amendment:
        """Take an amendment out of force; its row stays."""
        with self._database.transaction(durable=True) as connection:
            found = self._database.query(AMENDMENTS.select("WHERE id = ?"), [id])
            if not found:
                raise NotFound(f"no amendment has id {id}")
            amendment = AMENDMENTS.load(found[0])
            if amendment.revoked is not None:
                raise RegistryError(f"amendment {id} is revoked already")
            amendment = evolve(amendment, revoked=time.time())
            connection.execute("UPDATE amendments SET revoked = ? WHERE id = ?", (amendment.revoked, id))
            seal(connection, "amendments", id)
            self._audit.append("amendment.revoke", f"amendment {id}", by=by, detail={"reason": reason})
        return amendment
