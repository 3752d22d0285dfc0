"""The registry's parts, each imported and made when it is first asked for: most commands need one or two."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mlm_registry.database import Database
from mlm_registry.finding import Finding

if TYPE_CHECKING:
    from mlm_registry.anchors import Anchors
    from mlm_registry.audit import Audit
    from mlm_registry.deployments import Deployments
    from mlm_registry.erasing import Erasures
    from mlm_registry.exchanges import Exchanges
    from mlm_registry.graph import Graph
    from mlm_registry.improvements import Improvements
    from mlm_registry.models import Models
    from mlm_registry.recalls import Recalls
    from mlm_registry.tampering import Seals


class Parts(Finding):
    """What a registry consists of besides its executions and their bytes."""

    database: Database

    def recorded_exchanges(self) -> Exchanges | None:
        """Return the file of exchanges where there is one."""
        raise NotImplementedError

    @cached_property
    def graph(self) -> Graph:
        from mlm_registry.graph import Graph

        return Graph(self.database)

    @cached_property
    def seals(self) -> Seals:
        from mlm_registry.seals import KEYS
        from mlm_registry.tampering import Seals

        return Seals(self.database, KEYS)

    @cached_property
    def audit(self) -> Audit:
        from mlm_registry.audit import Audit

        return Audit(self.database, self.anchors.keep)

    @cached_property
    def anchors(self) -> Anchors:
        from mlm_registry.anchors import Anchors

        return Anchors(self.database, self.recorded_exchanges)

    @cached_property
    def models(self) -> Models:
        from mlm_registry.models import Models

        return Models(self.database, self.audit, self)

    @cached_property
    def recalls(self) -> Recalls:
        from mlm_registry.recalls import Recalls

        return Recalls(self.database, self.audit, self)

    @cached_property
    def erasures(self) -> Erasures:
        from mlm_registry.erasing import Erasures

        return Erasures(self.database, self.audit)

    @cached_property
    def deployments(self) -> Deployments:
        from mlm_registry.deployments import Deployments

        return Deployments(self.database, self.audit)

    @cached_property
    def improvements(self) -> Improvements:
        from mlm_registry.improvements import Improvements

        return Improvements(self.database, self.audit)
