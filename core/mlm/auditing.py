"""Whether the registry is as mlm wrote it: the audit log, the rows, and on request every stored byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen

from mlm.collecting import living_digests
from mlm_registry import Corrupt, NotFound, Registry, Touched


@frozen
class Audited:
    """What a verification found.

    `rows` and `first_bad` are of the audit log, `head` is the digest of its newest row: it stands for all rows of the
    registry. `objects` counts what was hashed again.
    """

    ok: bool
    rows: int
    first_bad: int | None
    reason: str
    head: str
    touched: tuple[Touched, ...]
    objects: int
    damaged: tuple[str, ...]
    set_back: tuple[int, ...]
    """Rows of the audit log before which the clock went back: it tells no order then, the numbers do."""

    @property
    def problems(self) -> list[str]:
        """One line each."""
        log = [f"the audit log was touched at row {self.first_bad}: {self.reason}"] if self.reason else []
        return [*log, *(f"{row}" for row in self.touched), *self.damaged]


def verify(
    registry: Registry,
    *,
    objects: bool = False,
    exchanges: bool = True,
    watched: Callable[[list[str]], Iterable[str]] = iter,
) -> Audited:
    """Walk the audit chain, hold every row against its seal, and with `objects` hash all stored bytes again.

    Args:
        exchanges: Look at the exchanges too; they do not travel with a registry.
        watched: Wraps the digests that are hashed, to show progress.
    """
    check = registry.audit.verify()
    newest = registry.audit.events(limit=1)
    touched = registry.seals.touched()
    if exchanges:
        touched += registry.anchors.touched()
        touched += registry.exchanges.seals.touched() if registry.has_exchanges else []
    digests = sorted(filter(registry.objects.expected_here, living_digests(registry))) if objects else []
    damaged = [line for digest in watched(digests) if (line := _damage(registry, digest))]
    return Audited(
        ok=check.ok and not touched and not damaged,
        rows=check.rows,
        first_bad=check.first_bad,
        reason=check.reason,
        head=newest[0].digest if newest else "",
        touched=tuple(touched),
        objects=len(digests),
        damaged=tuple(damaged),
        set_back=check.set_back,
    )


def touched_beneath(registry: Registry, node_id: int) -> str:
    """Name a touched row that a decision on a model rests on: its lineage, its reports, every decision and its log."""
    if logged := registry.audit.touched():
        return logged
    nodes = {node_id, *registry.graph.upstream(node_id), *registry.graph.downstream(node_id)}
    executions = {node.execution for node in registry.nodes_of(nodes)}
    return next(map(str, registry.seals.touched(sorted(executions))), "")


def _damage(registry: Registry, digest: str) -> str:
    try:
        registry.objects.check(digest)
    except (Corrupt, NotFound) as error:
        return str(error)
    return ""
