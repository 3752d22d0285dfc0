"""A real gateway on a loopback socket, in front of engines that follow a script."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

import mlm
from mlm.serving import Busy, Generation, Message, Sampling
from mlm_plugins.targets.gateway.plugin import Gateway
from mlm_plugins.targets.gateway.server import listen, run
from mlm_registry import Arm, Execution, Node, Registry


class ByteTokenizer:
    """One token a byte of UTF-8, so that characters are cut into tokens."""

    eos_ids = frozenset({256})

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode("utf-8", "replace")

    def chat(self, messages: Sequence[Message]) -> list[int]:
        return self.encode("".join(f"{m['role']}: {m['content']}\n" for m in messages))


class FakeEngine:
    """Answers with a fixed text; `echo` answers with the prompt. `held` stops it after its first chunk."""

    backend = "scripted 1"

    def __init__(self, text: str | None = "Hello, world.", chunk: int = 1, slots: int = 100, max_length: int = 4096):
        self.tokenizer = ByteTokenizer()
        self.max_length, self.text, self.chunk, self.slots = max_length, text, chunk, slots
        self.held = threading.Event()
        self.held.set()
        self.began = threading.Semaphore(0)
        self.running = self.cancelled = self.made = 0
        self.samplings: list[Sampling] = []
        self.prompts: list[list[int]] = []
        self.failure: BaseException | None = None
        self.closed = threading.Event()

    async def stream(self, prompt: Sequence[int], sampling: Sampling) -> AsyncGenerator[Sequence[int], None]:
        if self.running >= self.slots:
            raise Busy
        self.samplings.append(sampling)
        self.prompts.append(list(prompt))
        self.running += 1
        try:
            async for ids in self._chunks(prompt, sampling):
                yield ids
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def _chunks(self, prompt: Sequence[int], sampling: Sampling) -> AsyncGenerator[Sequence[int], None]:
        ids = list(prompt) if self.text is None else self.tokenizer.encode(self.text)
        ids = ids[: sampling.max_tokens]
        for start in range(0, len(ids), self.chunk):
            self.made += 1
            yield ids[start : start + self.chunk]
            self.began.release()
            if self.failure:
                raise self.failure
            while not self.held.is_set():
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)

    def generate(self, prompts: Sequence[Sequence[int]], sampling: Sampling) -> list[Generation]:
        raise AssertionError("the gateway streams")

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        raise AssertionError("the gateway generates")

    def close(self) -> None:
        self.closed.set()


class House:
    """A running gateway with its registry and clients."""

    def __init__(self, registry: Registry, gateway: Gateway, desired: mlm.Desired, context: mlm.Context) -> None:
        self.registry, self.gateway, self.desired, self.context = registry, gateway, desired, context
        self.by_node: dict[int, Any] = {}
        self.service = gateway.service(desired, context, registry)
        self._ready = threading.Event()
        self._listener = listen("127.0.0.1", 0)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._ready.wait(10)
        self.http = httpx.Client(base_url=self.url, timeout=10)
        self.openai = openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0)

    def _serve(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        await run(self.service, self._listener, self._started)

    def _started(self, url: str, stop: Callable[..., None]) -> None:
        self.url, self._stop = url, stop
        self._ready.set()

    def chat(self, content: str = "hi", **fields: Any) -> httpx.Response:
        messages = [{"role": "user", "content": content}]
        return self.http.post("/v1/chat/completions", json={"model": "api", "messages": messages, **fields})

    def complete(self, prompt: Any = "hi", **fields: Any) -> httpx.Response:
        return self.http.post("/v1/completions", json={"model": "api", "prompt": prompt, **fields})

    def streamed(self, content: str = "hi", **fields: Any) -> tuple[str, str | None]:
        """Return text and finish reason of a streamed chat, read by the official client."""
        messages: Any = [{"role": "user", "content": content}]
        stream = self.openai.chat.completions.create(model="api", messages=messages, stream=True, **fields)
        chunks = [chunk.choices[0] for chunk in stream if chunk.choices]
        return "".join(c.delta.content or "" for c in chunks), chunks[-1].finish_reason

    def recorded(self, id: str) -> Any:
        self.service.recorder.flush()
        return self.registry.exchanges.get(id)

    def last(self) -> Any:
        self.service.recorder.flush()
        return self.registry.exchanges.find(limit=1)[0]

    def desire(self, **shares: float) -> int:
        """Write a new revision of what should be served."""
        arms = [Arm(self.registry.node(name.replace("_", "@")).id, share) for name, share in shares.items()]
        return self.registry.deployments.desire("api", arms, by="test", reason="test").revision

    def serves(self, **engines: Any) -> None:
        """Let further versions be admitted."""
        for name, engine in engines.items():
            self.by_node[self.registry.node(name).id] = engine

    def until(self, what: Callable[[], bool]) -> None:
        """Wait until something is so; fails after ten seconds."""
        waiting = threading.Event()
        for _ in range(2000):
            if what():
                return
            waiting.wait(0.005)
        raise AssertionError("it did not come about within 10 s")

    def drain(self) -> None:
        """Do what a signal does."""
        self.loop.call_soon_threadsafe(self._stop)

    def close(self) -> None:
        self.http.close()
        self.openai.close()
        if self._thread.is_alive():
            self.drain()
        self._thread.join(20)
        assert not self._thread.is_alive()


Start = Callable[..., House]


@pytest.fixture
def engine() -> type[FakeEngine]:
    return FakeEngine


@pytest.fixture
def tokenizer() -> ByteTokenizer:
    return ByteTokenizer()


def add_model(registry: Registry, name: str) -> Node:
    """Store a model node with made-up bytes."""
    execution = registry.start(Execution(name, "export", "run", "scripted"))
    return registry.finish(execution, outputs=[Node(name, "model", f"{name:0<64}")])[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start gateways: `start({"int8": engine})`; what is refused is given as an exception."""
    houses: list[House] = []

    def begin(
        engines: dict[str, Any] | None = None,
        shares: Sequence[float] = (),
        guards: Sequence[Any] = (),
        postprocessors: Sequence[Any] = (),
        rollout: Any = None,
        **settings: Any,
    ) -> House:
        registry = Registry.open(tmp_path / f"registry{len(houses)}")
        engines = engines or {"int8": FakeEngine()}
        by_node = {add_model(registry, name).id: engine for name, engine in engines.items()}
        split = list(shares) or [1 / len(by_node)] * len(by_node)
        arms = [Arm(node, share) for node, share in zip(by_node, split, strict=False)]
        wanted = registry.deployments.desire("api", arms, by="test", reason="start")
        desired = mlm.Desired(
            "api",
            wanted.revision,
            wanted.arms,
            registry.folder,
            guards=tuple(guards),
            postprocessors=tuple(postprocessors),
            rollout=rollout,
        )
        gateway = Gateway(port=0, **settings)
        house = House(registry, gateway, desired, make_context(tmp_path, by_node))
        house.by_node = by_node
        houses.append(house)
        return house

    yield begin
    for house in houses:
        house.close()
        house.registry.close()


def make_context(folder: Path, by_node: dict[int, Any]) -> mlm.Context:
    """Admit the nodes that have an engine, unless that is an exception."""

    def admit(node: int) -> mlm.Model:
        found = by_node[node]
        if isinstance(found, Exception):
            raise found
        return mlm.Model(folder, metadata={"node": node})

    return mlm.Context(
        folder=folder,
        work=folder,
        project=folder,
        problem=mlm.Problem(name="t", task="chat", purpose="p"),
        admit=admit,
        load=lambda model, fresh: by_node[model.metadata["node"]],
    )
