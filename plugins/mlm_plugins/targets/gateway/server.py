"""The process that answers: its socket, its uvicorn, its end."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlm.errors import ProjectError

if TYPE_CHECKING:
    from mlm_plugins.targets.gateway.fleet import Fleet
    from mlm_plugins.targets.gateway.service import Service

Ready = Callable[[str, Callable[..., None]], None]


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sets TCP_NODELAY; without it each answer waits 40 ms for a delayed ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        why = (
            "is in use; stop what listens there, or set another port"
            if error.errno == errno.EADDRINUSE
            else error.strerror
        )
        raise ProjectError(f"port {port} on {host} {why}") from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address to give to clients."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def run(service: Service, listener: socket.socket, ready: Ready) -> None:
    """Serve until a signal comes: new requests get 503 then, running ones end.

    `ready` is called when requests are answered, with the address and a function that ends it as a signal does.
    """
    import uvicorn

    from mlm_plugins.targets.gateway.app import build

    config = uvicorn.Config(
        build(service),
        http="httptools",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=int(service.request_timeout_seconds) + 1,
    )
    server = uvicorn.Server(config)
    server.handle_exit = stop = _stopper(server, service.fleet)
    try:
        await service.fleet.start()
        await service.fleet.announce(url := url_of(listener))
        ready(url, stop)
        await server.serve(sockets=[listener])
    finally:
        await service.fleet.stop()
        await asyncio.to_thread(service.recorder.close)


def _stopper(server: Any, fleet: Fleet) -> Callable[..., None]:
    """Return a signal handler that drains at once: uvicorn itself looks at its flag ten times a second only.

    The signal is not raised again afterwards, as uvicorn would: an end that was asked for is no failure.
    """

    def stop(number: int = signal.SIGTERM, frame: object = None) -> None:
        server.force_exit = server.should_exit and number == signal.SIGINT
        server.should_exit = fleet.draining = True

    return stop
