"""Visitors who send prompts to a running deployment, over real HTTP."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from mlm.errors import DataError, MlmError
from mlm.json_lines import placed_rows
from mlm.measures import quantile
from mlm_registry import Registry


@frozen
class Visitors:
    """What they send, where, and how many at a time."""

    url: str
    model: str
    rows: list[dict[str, Any]]
    concurrency: int = 8
    feedback: bool = False
    max_tokens: int = 48


@define
class Visited:
    """How their visits went."""

    requests: int = 0
    seconds: float = 0.0
    by_version: Counter[str] = field(factory=Counter)
    errors: Counter[str] = field(factory=Counter)
    latencies: list[float] = field(factory=list)
    rated: int = 0
    right: int = 0

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def p50_seconds(self) -> float:
        return _quantile(self.latencies, 0.5)

    @property
    def p95_seconds(self) -> float:
        return _quantile(self.latencies, 0.95)


def _quantile(values: list[float], q: float) -> float:
    return quantile("seconds", values, q).value or 0.0


def read_prompts(files: list[Path], count: int, seed: int) -> list[dict[str, Any]]:
    """Read rows with a `prompt`; with a count, each file gives its share and is read again as needed, shuffled."""
    rows = [_asking(row, place) for file in files for place, row in placed_rows(file)]
    if not rows:
        raise DataError(f"no prompts in {', '.join(map(str, files))}")
    if not count:
        return rows
    shuffled = random.Random(seed).sample(rows, len(rows))  # noqa: S311, an order of requests is no secret
    return [shuffled[i % len(shuffled)] for i in range(count)]


def _asking(row: dict[str, Any], place: str) -> dict[str, Any]:
    if not isinstance(row.get("prompt"), str):
        raise DataError(f"{place} has no text `prompt`")
    return row


def endpoint_url(registry: Registry, deployment: str, wait_seconds: float) -> str:
    """Return where a deployment's endpoint is, waiting for one that is starting."""
    import httpx

    deadline = time.monotonic() + wait_seconds
    while True:
        observed = registry.deployments.observation(deployment)
        if observed and time.time() - observed.heartbeat < 5 and _is_up(httpx, observed.url):
            return observed.url
        if time.monotonic() > deadline:
            raise MlmError(f"no endpoint of '{deployment}' answers: mlm serve {deployment}")
        time.sleep(0.2)


def _is_up(httpx: Any, url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/healthz", timeout=2).status_code == 200)
    except httpx.HTTPError:
        return False


def visit(work: Visitors) -> Visited:
    """Send every row's prompt as one chat request and count what came back."""
    return asyncio.run(_visit_all(work))


async def _visit_all(work: Visitors) -> Visited:
    import httpx

    result = Visited()
    queue = list(reversed(work.rows))
    limits = httpx.Limits(max_connections=work.concurrency)
    started = time.monotonic()
    async with httpx.AsyncClient(base_url=work.url, timeout=60, limits=limits) as client:

        async def visitor() -> None:
            while queue:
                await _visit(client, work, queue.pop(), result)

        await asyncio.gather(*(visitor() for _ in range(work.concurrency)))
    result.seconds = time.monotonic() - started
    return result


async def _visit(client: Any, work: Visitors, row: dict[str, Any], result: Visited) -> None:
    import httpx

    body = {
        "model": work.model,
        "messages": [{"role": "user", "content": row["prompt"]}],
        "max_tokens": work.max_tokens,
        "temperature": 0,
    }
    started = time.monotonic()
    result.requests += 1
    try:
        response = await client.post("/v1/chat/completions", json=body)
    except httpx.HTTPError as error:
        result.errors[type(error).__name__] += 1
        return
    result.latencies.append(time.monotonic() - started)
    if response.status_code != 200:
        result.errors[f"HTTP {response.status_code}"] += 1
        return
    result.by_version[response.headers.get("x-mlm-version", "?")] += 1
    if work.feedback and isinstance(row.get("completion"), str):
        await _rate(client, row, response.json(), result)


async def _rate(client: Any, row: dict[str, Any], answer: dict[str, Any], result: Visited) -> None:
    import httpx

    text = answer["choices"][0]["message"]["content"] or ""
    right = " ".join(text.split()).casefold() == " ".join(row["completion"].split()).casefold()
    body = {"id": answer["id"], "rating": 1 if right else -1}
    if not right:
        body["correction"] = row["completion"]
    try:
        response = await client.post("/v1/feedback", json=body)
    except httpx.HTTPError as error:
        result.errors[f"feedback {type(error).__name__}"] += 1
        return
    if response.status_code != 200:
        result.errors[f"feedback HTTP {response.status_code}"] += 1
        return
    result.rated += 1
    result.right += right
