"""CPU of the gateway for each token that it streams, beside a bare ASGI application that streams as much."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measuring import Pair, Size, benchmark

TOKENS = 256
BODY = json.dumps(
    {"model": "api", "stream": True, "max_tokens": TOKENS, "messages": [{"role": "user", "content": "Tell me."}]}
)


@benchmark(
    "stream",
    "the gateway's CPU a streamed token, microseconds",
    peer="raw ASGI on uvicorn, one write a token",
    goal="<= 2",
    rounds=3,
)
def streaming(size: Size) -> Iterator[Pair]:
    requests = size.of(40, 4)
    gateway, echo = _Server("gateway", size.folder), _Server("echo", size.folder)
    try:
        yield lambda: gateway.microseconds_a_token(requests), lambda: echo.microseconds_a_token(requests)
    finally:
        gateway.close()
        echo.close()


class _Server:
    """A server in a process of its own, which tells the CPU that it has used when asked."""

    def __init__(self, what: str, folder: Path) -> None:
        import httpx

        command = [sys.executable, "-m", "tests.benchmarks.servers", what, str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.client = httpx.Client(base_url=self._line(), timeout=30)
        self._ask()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def _cpu(self) -> float:
        assert self.process.stdin is not None
        print(file=self.process.stdin, flush=True)
        return float(self._line())

    def _ask(self) -> None:
        with self.client.stream("POST", "/v1/chat/completions", content=BODY) as response:
            text = b"".join(response.iter_raw())
        assert text.count(b'"x"') == TOKENS, text[-300:]

    def microseconds_a_token(self, requests: int) -> float:
        before = self._cpu()
        for _ in range(requests):
            self._ask()
        return 1e6 * (self._cpu() - before) / (requests * TOKENS)

    def close(self) -> None:
        self.client.close()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
