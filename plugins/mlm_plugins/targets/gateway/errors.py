"""What the gateway answers when it does not answer: errors in the shape of the OpenAI API."""

from __future__ import annotations

import json
from collections.abc import Mapping

INVALID = "invalid_request_error"
SERVER = "server_error"


class ApiError(Exception):
    """A request that ends with an error: HTTP status, stable code, and the parameter at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        kind: str = INVALID,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.kind, self.param, self.headers = kind, param, dict(headers or {})

    @property
    def body(self) -> bytes:
        """The response body: `{"error": {message, type, param, code}}`."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()


def bad_value(param: str, value: object, expected: str) -> ApiError:
    """Say which field is wrong, with the value that it had."""
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
    return ApiError(400, f"'{param}' is {shown}, expected {expected}", "invalid_value", param=param)


def too_long(prompt: int, limit: int, param: str) -> ApiError:
    """Say that the prompt leaves no room for an answer."""
    message = f"the prompt has {prompt} tokens and the model takes {limit} with the answer; shorten the prompt"
    return ApiError(400, message, "context_length_exceeded", param=param)


def busy(retry_seconds: int) -> ApiError:
    """Say that the engine's queue is full, and when to come again."""
    return ApiError(
        429,
        f"all slots and the queue are taken; try again in {retry_seconds} s",
        "busy",
        kind="rate_limit_error",
        headers={"retry-after": str(retry_seconds)},
    )


def unavailable(message: str, code: str) -> ApiError:
    """Say that the endpoint serves nothing now."""
    return ApiError(503, message, code, kind=SERVER, headers={"retry-after": "1"})


def internal(code: str = "internal_error") -> ApiError:
    """Say that the fault is the server's; what it was is in the log, not in the answer."""
    return ApiError(500, "the server failed to answer this request; its log says why", code, kind=SERVER)
