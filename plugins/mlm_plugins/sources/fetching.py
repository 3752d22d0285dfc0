"""Fetches pages as a guest should: by robots.txt, at each host's pace, and nowhere that the internet cannot go."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define, field, frozen

if TYPE_CHECKING:
    import httpx

ROBOTS_BYTES = 500 << 10
"""RFC 9309, 2.5: at least so much of robots.txt is read."""
REDIRECTS = 5


class Refused(Exception):
    """Why a URL was not fetched: a reason, and what is to be said of it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@frozen
class Fetched:
    """What a server sent."""

    url: str
    """Where it was found in the end."""
    status: int
    content_type: str
    content: bytes


@define
class Pace:
    """Keeps a pause between two requests to a host."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: dict[str, float] = field(factory=dict)

    def wait(self, host: str, at_least: float = 0.0) -> None:
        """Wait until the host may be asked again."""
        left = self._next.get(host, 0.0) - self.clock()
        if left > 0:
            self.sleep(left)
        self._next[host] = self.clock() + max(self.seconds, at_least)


@define
class Fetcher:
    """Fetches one page after another; each redirection is asked for as its target."""

    user_agent: str
    pace: Pace
    timeout_seconds: float
    max_bytes: int
    allow_private: bool
    _client: Any = None
    _robots: dict[str, Any] = field(factory=dict)

    def __enter__(self) -> Fetcher:
        import httpx

        # A connection is not kept: it would serve another host of the same address, whose certificate nobody has seen.
        limits = httpx.Limits(max_keepalive_connections=0)
        transport = _public_only(httpx.HTTPTransport(limits=limits), self.allow_private)
        # No proxy from the environment: it would look up names where nothing is checked.
        self._client = httpx.Client(
            transport=transport, timeout=self.timeout_seconds, headers={"User-Agent": self.user_agent}, trust_env=False
        )
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._client.close()

    def fetch(self, url: str) -> Fetched:
        """Fetch a page; Refused says why not."""
        for _ in range(REDIRECTS + 1):
            origin, host = _origin(url)
            robots = self._rules(origin, host)
            if robots is None:
                raise Refused("unreachable", f"robots.txt of {host} cannot be had, so nothing of it is fetched")
            if not robots.can_fetch(url, self.user_agent):
                raise Refused("robots", f"robots.txt of {host} does not allow it")
            self.pace.wait(host, robots.crawl_delay(self.user_agent) or 0.0)
            answer = self._get(url, self.max_bytes)
            if not isinstance(answer, str):
                return answer
            url = answer
        raise Refused("unreachable", f"more than {REDIRECTS} redirections")

    def _rules(self, origin: str, host: str) -> Any:
        """Return what robots.txt says (RFC 9309, 2.3.1): without one all may be fetched; None where no answer comes."""
        from protego import Protego

        if origin not in self._robots:
            self.pace.wait(host)
            text = self._robots_text(f"{origin}/robots.txt")
            self._robots[origin] = None if text is None else Protego.parse(text)
        return self._robots[origin]

    def _robots_text(self, url: str) -> str | None:
        try:
            for _ in range(REDIRECTS):
                answer = self._get(url, ROBOTS_BYTES, cut=True)
                if not isinstance(answer, str):
                    break
                url = answer
            else:
                return ""
        except Refused as refused:
            if refused.reason == "private-address":
                raise
            return None
        if answer.status >= 500 or answer.status == 429:
            return None
        return answer.content.decode("utf-8", "replace") if answer.status < 400 else ""

    def _get(self, url: str, max_bytes: int, *, cut: bool = False) -> Fetched | str:
        """Return what one request brings, or where it is redirected to."""
        import httpx

        until = self.pace.clock() + self.timeout_seconds
        try:
            with self._client.stream("GET", url) as answer:
                if answer.next_request is not None:
                    return str(answer.next_request.url)
                parts, size = [], 0
                for part in answer.iter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > max_bytes and cut:
                        break
                    if size > max_bytes:
                        raise Refused("too-large", f"more than max_bytes = {max_bytes}")
                    if self.pace.clock() > until:
                        raise Refused("unreachable", f"not all had come after {self.timeout_seconds} seconds")
                kind = answer.headers.get("Content-Type", "")
                return Fetched(url, answer.status_code, kind, b"".join(parts)[:max_bytes])
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Refused("unreachable", f"{type(error).__name__}: {error}") from None


_HOLD_IPV4 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
"""NAT64, IPv4-compatible and IPv4-translated addresses (RFC 6052, 4291, 2765): the last 32 bits are IPv4's."""
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
"""RFC 8215: each network chooses where in these the IPv4 address lies."""


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise Refused("not-http", str(error)) from None
    if parts.scheme not in ("http", "https") or not host:
        raise Refused("not-http", "only http and https are fetched")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", host


def _public_only(transport: httpx.HTTPTransport, allow_private: bool) -> Any:
    """Return a transport that looks a host's name up once, and connects to the address that it judged."""
    import httpx

    class PublicOnly(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            host = request.url.host
            if not allow_private:
                request.url = request.url.copy_with(host=_public_address(host, request.url.port))
                request.extensions = {**request.extensions, "sni_hostname": host}
            return transport.handle_request(request)

        def close(self) -> None:
            transport.close()

    return PublicOnly()


def _public_address(host: str, port: int | None) -> str:
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise Refused("unreachable", f"{host} has no address: {error.strerror or error}") from None
    for address in found:
        if not _is_public(ipaddress.ip_address(address.partition("%")[0])):
            raise Refused("private-address", f"{host} leads to {address}, which is no public address")
    return found[0]


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Say whether an address is one of the internet's hosts; one that stands for an IPv4 address is judged as that."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _HOLD_IPV4):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
        if address.is_site_local or address in _LOCAL_NAT64:
            return False
    return address.is_global and not address.is_multicast
