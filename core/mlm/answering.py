"""One answered request, followed back: version, gates, datasets, and the rows in the raw files."""

from __future__ import annotations

from attrs import frozen

from mlm.citing import Citation, cite
from mlm.inspecting import Lineage, trace
from mlm.standing import recalled_upstream
from mlm_registry import Judgement, Registry


@frozen
class Answered:
    """A response with everything that stands behind it."""

    response: str
    at: float
    deployment: str
    revision: int
    version: str
    state: str
    prompt: str
    answer: str
    gates: tuple[Judgement, ...]
    lineage: Lineage
    rows: tuple[Citation, ...]
    """Training rows that are similar to the answer; similar, not its cause."""


def answered(registry: Registry, response: str, top: int = 5) -> Answered:
    """Follow a response back to the rows; NotFound where it was not recorded."""
    exchange = registry.exchanges.get(response)
    version = registry.models.version(exchange.node)
    return Answered(
        response=response,
        at=exchange.at,
        deployment=exchange.deployment,
        revision=exchange.revision,
        version=version.node.ref,
        state="recalled" if recalled_upstream(registry, version.node.id) else version.state,
        prompt=exchange.prompt,
        answer=exchange.response,
        gates=tuple(registry.judgements(subject=version.node.digest, kind="gate", latest=True)),
        lineage=trace(registry, version.node.ref),
        rows=tuple(cite(registry, response, top)),
    )
