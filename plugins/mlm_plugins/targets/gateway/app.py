"""The gateway's routes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mlm_plugins.targets.gateway.completions import Completions
from mlm_plugins.targets.gateway.errors import ApiError, bad_value, internal
from mlm_plugins.targets.gateway.metrics import CONTENT_TYPE
from mlm_plugins.targets.gateway.requests import read_json, text
from mlm_plugins.targets.gateway.service import Service
from mlm_plugins.targets.gateway.wire import read_body

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from mlm_registry import Feedback


def build(service: Service) -> Starlette:
    """Build the ASGI application around a service that was started."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    pages = Pages(service)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", Completions("chat", service), methods=["POST"]),
            Route("/v1/completions", Completions("completion", service), methods=["POST"]),
            Route("/v1/models", pages.models),
            Route("/v1/models/{name}", pages.model),
            Route("/v1/feedback", pages.feedback, methods=["POST"]),
            Route("/healthz", pages.health),
            Route("/metrics", pages.metrics),
        ],
        exception_handlers={ApiError: pages.error, HTTPException: pages.http_error, 500: pages.crash},
    )


class Pages:
    """Every route that generates nothing."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def _answer(
        self, body: object, status: int = 200, media: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> Response:
        from starlette.responses import Response

        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return Response(content, status, {"x-mlm-version": self._service.versions, **(headers or {})}, media)

    async def models(self, request: Request) -> Response:
        """List the deployment, which the rollout routes, and each version that may be asked for by name."""
        names = [self._service.deployment, *self._service.fleet.roster.shares]
        return self._answer({"object": "list", "data": [self._card(name) for name in names]})

    async def model(self, request: Request) -> Response:
        """Describe one model."""
        name = request.path_params["name"]
        if name != self._service.deployment:
            await self._service.fleet.choose(name, "")
        return self._answer(self._card(name))

    def _card(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": int(self._service.started), "owned_by": "mlm"}

    async def health(self, request: Request) -> Response:
        """Say whether requests can be answered: 200, or 503 with the reason."""
        status, body = self._service.health()
        return self._answer(body, status)

    async def metrics(self, request: Request) -> Response:
        """Write the metrics for Prometheus."""
        return self._answer(self._service.measured(), headers={"content-type": CONTENT_TYPE})

    async def feedback(self, request: Request) -> Response:
        """Store what a person said of a response."""
        from anyio.to_thread import run_sync

        from mlm_registry import NotFound

        given = _feedback(read_json(await read_body(request.receive, self._service.max_body_bytes)))
        try:
            await run_sync(partial(self._service.rate, given))
        except NotFound:
            raise ApiError(
                404, f"no response has the id '{given.exchange}'", "response_not_found", param="id"
            ) from None
        return self._answer({"object": "feedback", "id": given.exchange, "rating": given.rating})

    async def error(self, request: Request, error: Exception) -> Response:
        """Answer with an error of ours."""
        assert isinstance(error, ApiError)
        return self._answer(error.body, error.status, headers=error.headers)

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Answer unknown paths and methods."""
        from starlette.exceptions import HTTPException

        assert isinstance(error, HTTPException)
        code = {404: "unknown_url", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        message = f"{request.method} {request.url.path}: {error.detail}"
        return self._answer(ApiError(error.status_code, message, code).body, error.status_code, headers=error.headers)

    async def crash(self, request: Request, error: Exception) -> Response:
        """Answer where a page failed; Starlette raises the error on to the server's log."""
        return self._answer(internal().body, 500)


def _feedback(body: Mapping[str, Any]) -> Feedback:
    from mlm_registry import Feedback

    rating = body.get("rating")
    if type(rating) is not int or rating not in (1, -1):
        raise bad_value("rating", rating, "1 or -1")
    exchange = text(body, "id", "")
    if not exchange:
        raise bad_value("id", body.get("id"), "the id of a response")
    correction = None if body.get("correction") is None else text(body, "correction", "")
    return Feedback(exchange, rating, correction, text(body, "user", ""), time.time())
