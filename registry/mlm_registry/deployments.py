"""Deployments: what should be served, and what an endpoint last said of itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

from attrs import evolve

from mlm_registry.audit import Audit
from mlm_registry.database import Database
from mlm_registry.errors import NotFound
from mlm_registry.records.traffic import DEPLOYMENTS, OBSERVATIONS, Arm, Deployment, Observation
from mlm_registry.seals import seal

_NEWEST = "WHERE revision = (SELECT max(revision) FROM deployments AS other WHERE other.name = deployments.name)"


class Deployments:
    """Desired state, a revision a change, beside observed state, a row a deployment."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def desire(self, name: str, arms: Sequence[Arm], *, by: str, reason: str) -> Deployment:
        """Write the next revision of what a deployment should serve; no arms take it out of service."""
        with self._database.transaction(durable=True) as connection:
            for arm in arms:
                if not connection.execute("SELECT 1 FROM model_versions WHERE node = ?", (arm.node,)).fetchone():
                    raise NotFound(f"deployment {name!r} cannot serve node {arm.node}: no model has that id")
            before = self.current(name)
            revision = before.revision + 1 if before else 1
            desired = Deployment(name, tuple(arms), by, reason, time.time(), revision)
            DEPLOYMENTS.insert(connection, desired)
            seal(connection, "deployments", name, revision)
            detail = {"revision": revision, "arms": desired.arms, "reason": reason}
            self._audit.append("deployment.desire", name, by=by, detail=detail)
        return desired

    def current(self, name: str) -> Deployment | None:
        """Return the newest revision."""
        found = self._select("WHERE name = ? ORDER BY revision DESC LIMIT 1", name)
        return found[0] if found else None

    def names(self) -> list[str]:
        """List the deployments that ever were."""
        return [row[0] for row in self._database.query("SELECT DISTINCT name FROM deployments ORDER BY name")]

    def history(self, name: str) -> list[Deployment]:
        """List the revisions of a deployment, newest first."""
        return self._select("WHERE name = ? ORDER BY revision DESC", name)

    def serving(self, node_id: int) -> list[tuple[str, float]]:
        """List (deployment, share) of those that should now serve a node."""
        newest = self._select(f"{_NEWEST} ORDER BY name")
        return [(d.name, arm.share) for d in newest for arm in d.arms if arm.node == node_id]

    def _select(self, tail: str, *parameters: str) -> list[Deployment]:
        return [DEPLOYMENTS.load(row) for row in self._database.query(DEPLOYMENTS.select(tail), parameters)]

    def observe(self, observation: Observation) -> Observation:
        """Replace what is known of an endpoint; the heartbeat is now."""
        seen = evolve(observation, heartbeat=time.time())
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM observations WHERE deployment = ?", (seen.deployment,))
            OBSERVATIONS.insert(connection, seen)
        return seen

    def observation(self, name: str) -> Observation | None:
        """Return what a deployment's endpoint last said."""
        found = self._database.query(OBSERVATIONS.select("WHERE deployment = ?"), [name])
        return OBSERVATIONS.load(found[0]) if found else None
