"""URLs are fetched as a guest should; what brings no page is set aside with its reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm_plugins.sources import fetching
from mlm_plugins.sources.fetching import Pace
from mlm_plugins.sources.urls import Urls

PROBLEM = mlm.Problem(name="t", task="chat", purpose="p")
PARAGRAPH = "The ferry to the island leaves at nine in the morning, and comes back when the lamps are lit. " * 4
PAGE = f"<html><head><title>Ferry</title></head><body><article><p>{PARAGRAPH}</p></article></body></html>".encode()
ROBOTS = b"User-agent: *\nDisallow: /private/\nAllow: /private/open\nCrawl-delay: 7\n"
Answer = tuple[int, dict[str, str], bytes]
HTML = {"Content-Type": "text/html; charset=utf-8"}


class Site:
    """A web site on the loopback: what it answers by path, and what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {"/": (200, HTML, PAGE), "/robots.txt": (200, {}, ROBOTS)}
        self.asked: list[tuple[str, str]] = []
        self.connections: list[int] = []
        self.silent: set[str] = set()
        self.closing = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers.get("User-Agent", "")))
                site.connections.append(self.client_address[1])
                if self.path in site.silent:
                    site.closing.wait(30)
                    return
                status, headers, body = site.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.closing.set()
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., mlm.Dataset]:
    """Fetch URLs without waiting: the pauses are counted."""
    monkeypatch.setattr(fetching.time, "sleep", lambda seconds: None)
    (tmp_path / "out").mkdir()

    def run(*urls: str, **settings: Any) -> mlm.Dataset:
        (tmp_path / "list.txt").write_text("\n".join(urls) + "\n")
        context = mlm.Context(
            folder=tmp_path / "out", work=tmp_path / "work", project=tmp_path, problem=PROBLEM, step="web"
        )
        settings = {"pause_seconds": 0.0, "allow_private": True, "contact": "crawl@mlm.example"} | settings
        return Urls(path=tmp_path / "list.txt", **settings).mlm_read(context=context)

    return run


def reasons(data: mlm.Dataset) -> dict[str, str]:
    return {row["source"]: row["reason"] for row in data.removed()}


def test_a_page_becomes_its_main_text_and_the_server_is_told_who_asks(site: Site, fetch: Any) -> None:
    (row,) = fetch("# our pages", "", f"{site.url}/").rows()

    assert (row["url"], row["title"], row["text"]) == (f"{site.url}/", "Ferry", PARAGRAPH.strip())
    assert row["source"] == "list.txt:3"
    assert {agent for _, agent in site.asked} == {"mlm/0.1.0 (+crawl@mlm.example)"}


def test_robots_txt_is_asked_once_and_obeyed(site: Site, fetch: Any) -> None:
    site.pages |= {"/private/a": (200, HTML, PAGE), "/private/open": (200, HTML, PAGE)}

    data = fetch(f"{site.url}/private/a", f"{site.url}/private/open", f"{site.url}/")

    assert reasons(data) == {"list.txt:1": "robots"}
    assert site.paths() == ["/robots.txt", "/private/open", "/"]


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False), (503, False)])
def test_without_robots_txt_all_may_be_fetched_and_without_an_answer_nothing(
    site: Site, fetch: Any, status: int, allowed: bool
) -> None:
    site.pages["/robots.txt"] = (status, {}, b"")

    assert fetch(f"{site.url}/").num_rows == int(allowed)


def test_what_brings_no_page_is_set_aside_with_its_reason(site: Site, fetch: Any) -> None:
    site.pages |= {
        "/big": (200, HTML, PAGE * 100),
        "/cat": (200, {"Content-Type": "image/png"}, b"\x89PNG"),
        "/void": (200, HTML, b"<html></html>"),
        "/round": (302, {"Location": "/round"}, b""),
        "/moved": (301, {"Location": "/"}, b""),
        "/to-file": (302, {"Location": "file:///etc/passwd"}, b""),
    }
    paths = ["/gone", "/big", "/cat", "/void", "/round", "/moved", "/to-file"]

    data = fetch(*[f"{site.url}{path}" for path in paths], "ftp://example.org/", "no url", max_bytes=10_000)

    assert reasons(data) == {
        "list.txt:1": "http-status",
        "list.txt:2": "too-large",
        "list.txt:3": "not-html",
        "list.txt:4": "no-text",
        "list.txt:5": "unreachable",
        "list.txt:7": "not-http",
        "list.txt:8": "not-http",
        "list.txt:9": "not-http",
    }
    assert [row["url"] for row in data.rows()] == [f"{site.url}/"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0.0.0.0",
        "[::ffff:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::1]", "[2002:a00:1::1]",
        "[64:ff9b:1::a00:1]", "[::10.0.0.1]", "[::ffff:0:10.0.0.1]", "[fec0::1]", "[fd00::1]", "[fe80::1]",
    ],
)  # fmt: skip
def test_the_own_network_is_not_fetched_from(site: Site, fetch: Any, host: str) -> None:
    port = site.url.rpartition(":")[2]

    data = fetch(f"http://{host}:{port}/", allow_private=False)

    assert reasons(data) == {"list.txt:1": "private-address"}
    assert site.asked == []


def test_a_redirection_into_the_own_network_is_not_followed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(host: str, port: int | None) -> str:
        return "127.0.0.1" if host == "ferry.example" else original(host, port)

    original = fetching._public_address
    monkeypatch.setattr(fetching, "_public_address", judged)
    site.pages["/"] = (302, {"Location": f"{site.url}/secret"}, b"")
    port = site.url.rpartition(":")[2]

    with (
        fetching.Fetcher("me", Pace(0.0), 5.0, 1000, allow_private=False) as fetcher,
        pytest.raises(fetching.Refused, match="no public address"),
    ):
        fetcher.fetch(f"http://ferry.example:{port}/")
    assert site.paths() == ["/robots.txt", "/"]


def test_hosts_are_asked_at_their_pace() -> None:
    now, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(2.0, clock=lambda: now[0], sleep=sleep)
    for host, delay in [("a", 0.0), ("b", 0.0), ("a", 7.0), ("a", 0.0), ("b", 0.0)]:
        pace.wait(host, delay)

    assert slept == [2.0, 7.0]


def test_an_interrupted_run_asks_for_no_page_twice(site: Site, fetch: Any, tmp_path: Path) -> None:
    site.pages["/more"] = (200, HTML, PAGE)
    first = fetch(f"{site.url}/", f"{site.url}/gone")
    rows = list(first.rows())
    with (tmp_path / "work" / "pages.jsonl").open("ab") as file:
        file.write(b'{"asked": "half a l')

    again = fetch(f"{site.url}/", f"{site.url}/gone", f"{site.url}/more")

    assert [path for path in site.paths() if path != "/robots.txt"] == ["/", "/gone", "/more"]
    assert list(again.rows())[:1] == rows
    assert again.num_rows == 2


def test_no_connection_serves_two_hosts(site: Site, fetch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_public_address", lambda host, port: "127.0.0.1")
    port = site.url.rpartition(":")[2]

    data = fetch(f"http://one.example:{port}/", f"http://other.example:{port}/", allow_private=False)

    assert data.num_rows == 2
    assert site.paths() == ["/robots.txt", "/"] * 2
    assert len(set(site.connections)) == 4


def test_what_another_try_may_bring_is_asked_for_again_and_nothing_else(site: Site, fetch: Any) -> None:
    gone = ["/gone", "/forbidden", "/cat", "/void", "/private/a"]
    busy = ["/broken", "/unavailable", "/too-many", "/hangs"]
    site.pages |= {
        "/forbidden": (403, HTML, b""),
        "/cat": (200, {"Content-Type": "image/png"}, b"\x89PNG"),
        "/void": (200, HTML, b"<html></html>"),
        "/broken": (500, HTML, b""),
        "/unavailable": (503, HTML, b""),
        "/too-many": (429, HTML, b""),
        "/hangs": (200, HTML, PAGE),
    }
    site.silent.add("/hangs")
    urls = [f"{site.url}{path}" for path in (*gone, *busy)]

    assert fetch(*urls, timeout_seconds=0.5).num_rows == 0
    site.silent.clear()
    site.pages |= dict.fromkeys((*gone, *busy), (200, HTML, PAGE))
    site.asked.clear()
    again = fetch(*urls)

    assert [row["url"] for row in again.rows()] == urls[len(gone) :]
    assert [path for path in site.paths() if path != "/robots.txt"] == busy


def test_a_host_whose_robots_txt_could_not_be_had_is_asked_again(site: Site, fetch: Any) -> None:
    site.pages["/robots.txt"] = (503, {}, b"")
    first = fetch(f"{site.url}/")
    site.pages["/robots.txt"] = (404, {}, b"")

    assert reasons(first) == {"list.txt:1": "unreachable"}
    assert fetch(f"{site.url}/").num_rows == 1


def test_a_server_that_does_not_answer_is_named(fetch: Any) -> None:
    data = fetch("http://127.0.0.1:9/")

    assert set(reasons(data).values()) == {"unreachable"}
