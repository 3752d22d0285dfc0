"""The two servers that `streaming` compares; each writes its address, then its CPU seconds for each line it reads."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, cast

from tests.benchmarks.models import context

import mlm
from mlm_plugins.targets.gateway.server import listen, run, url_of
from mlm_registry import Arm, Execution, Node, Registry

CHUNK = (
    b"data: "
    + json.dumps(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "api@1",
         "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
    ).encode()
    + b"\n\n"
)  # fmt: skip


class OneLetter:
    """A tokenizer of one letter."""

    eos_ids = frozenset({1})

    def encode(self, text: str) -> list[int]:
        return [0] * len(text)

    def decode(self, ids: Sequence[int]) -> str:
        return "x" * len(ids)

    def chat(self, messages: Sequence[mlm.serving.Message]) -> list[int]:
        return [0]


class Instant:
    """An engine that costs nothing: one letter a turn of the event loop."""

    tokenizer = OneLetter()
    backend = "instant 1"
    max_length = 4096

    async def stream(self, prompt: Sequence[int], sampling: mlm.Sampling) -> AsyncGenerator[Sequence[int], None]:
        for _ in range(sampling.max_tokens):
            yield (0,)
            await asyncio.sleep(0)

    def close(self) -> None:
        pass


def serve_gateway(folder: Path) -> None:
    """Serve the instant engine with the gateway, its exchanges recorded."""
    from mlm_plugins.targets.gateway.plugin import Gateway

    with Registry.open(folder / "registry") as registry:
        execution = registry.start(Execution("chat", "export", "run", "bench"))
        node = registry.finish(execution, outputs=[Node("chat", "model", "0" * 64)])[0].id
        arms = [Arm(node, 1.0)]
        wanted = registry.deployments.desire("api", arms, by="bench", reason="measure")
        desired = mlm.Desired("api", wanted.revision, wanted.arms, registry.folder)
        from attrs import evolve

        where = evolve(
            context(folder / "gateway"),
            admit=lambda node: mlm.Model(folder),
            load=lambda model, fresh: cast("Any", Instant()),
        )
        service = Gateway(port=0).service(desired, where, registry)
        asyncio.run(run(service, listen("127.0.0.1", 0), answer))


def serve_echo(folder: Path) -> None:
    """Stream as many chunks as the body asks for, with nothing else done."""
    import uvicorn

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = await receive()
        count = json.loads(body["body"])["max_tokens"]
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(count):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})

    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, http="httptools", loop="asyncio", lifespan="off", access_log=False, log_level="error")
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    answer(url_of(listener), stop)
    server.run(sockets=[listener])


def answer(url: str, stop: Callable[[], None]) -> None:
    """Tell the address, then CPU seconds for each line, until there are no more lines."""
    print(url, flush=True)
    threading.Thread(target=_tell, args=(stop,), daemon=True).start()


def _tell(stop: Callable[[], None]) -> None:
    for _ in sys.stdin:
        print(time.process_time(), flush=True)
    stop()


if __name__ == "__main__":
    {"gateway": serve_gateway, "echo": serve_echo}[sys.argv[1]](Path(sys.argv[2]))
