"""What was asked and answered: the list from which a response is chosen."""

from __future__ import annotations

from attrs import frozen

from mlm_registry import Registry


@frozen
class Response:
    """One response, with the version that gave it and what people thought of it."""

    id: str
    at: float
    deployment: str
    version: str
    prompt: str
    response: str
    rating: int
    """Sum of the ratings: 0 where nobody rated it."""
    guarded: bool
    """Whether a guard changed or blocked the prompt or the response."""
    error: str | None


def responses(
    registry: Registry,
    *,
    deployment: str | None = None,
    version: int | None = None,
    user: str | None = None,
    limit: int | None = None,
) -> list[Response]:
    """List responses, the newest first."""
    found = registry.exchanges.find(deployment=deployment, node=version, user=user, limit=limit)[::-1]
    refs = {node.id: node.ref for node in registry.nodes_of({exchange.node for exchange in found})}
    ratings: dict[str, int] = {}
    for exchange, feedback in registry.exchanges.feedback_for(one.id for one in found):
        ratings[exchange.id] = ratings.get(exchange.id, 0) + feedback.rating
    return [
        Response(
            id=one.id,
            at=one.at,
            deployment=one.deployment,
            version=refs.get(one.node, ""),
            prompt=one.prompt,
            response=one.response,
            rating=ratings.get(one.id, 0),
            guarded=any(decision.get("action", "allow") != "allow" for decision in one.guards),
            error=one.error,
        )
        for one in found
    ]
