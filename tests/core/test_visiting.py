"""`mlm traffic`: what is read, what is sent, what is counted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlm.cli.traffic_command import traffic
from mlm.errors import DataError
from mlm.visiting import Visitors, read_prompts, visit

ROWS = [{"prompt": "one?", "completion": "1"}, {"prompt": "two?", "completion": "2"}]
HANG_UP = 0


class Endpoint(BaseHTTPRequestHandler):
    """Answers `1` to every chat; feedback gets the server's `feedback_status`, or a closed connection."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status = getattr(self.server, "feedback_status") if self.path == "/v1/feedback" else 200  # noqa: B009
        if status == HANG_UP:
            return
        body = json.dumps({"id": "x", "choices": [{"message": {"content": "1"}}]}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture
def endpoint() -> Iterator[Callable[[int], str]]:
    """Start an endpoint that answers feedback with a status; gives its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def begin(feedback_status: int) -> str:
            setattr(server, "feedback_status", feedback_status)  # noqa: B010
            return f"http://127.0.0.1:{server.server_port}"

        yield begin
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085"])
def test_only_a_newline_ends_a_row(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "prompts.jsonl"
    rows = [{"prompt": f"one{separator}two"}, {"prompt": "three"}]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")

    assert read_prompts([file], 0, 0) == rows


def test_a_malformed_row_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "one"}\r\n{"prompt": 2}\r\n', encoding="utf-8", newline="")

    with pytest.raises(DataError, match=r"prompts\.jsonl:2 has no text `prompt`"):
        read_prompts([file], 0, 0)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_bytes('{"prompt": "caf\u00e9"}\n'.encode("latin-1"))

    with pytest.raises(DataError, match=r"prompts\.jsonl is not UTF-8"):
        read_prompts([file], 0, 0)


def test_answers_are_rated_against_completions(endpoint: Callable[[int], str]) -> None:
    result = visit(Visitors(endpoint(200), "api", ROWS, concurrency=2, feedback=True))

    assert (result.requests, result.rated, result.right, dict(result.errors)) == (2, 2, 1, {})


@pytest.mark.parametrize(("status", "error"), [(HANG_UP, "feedback RemoteProtocolError"), (404, "feedback HTTP 404")])
def test_feedback_that_was_not_taken_is_an_error_and_no_rating(
    endpoint: Callable[[int], str], status: int, error: str
) -> None:
    result = visit(Visitors(endpoint(status), "api", ROWS, concurrency=1, feedback=True))

    assert dict(result.errors) == {error: 2}
    assert (result.requests, result.rated, result.right) == (2, 0, 0)
    assert len(result.latencies) == 2


@pytest.mark.parametrize("option", [("--concurrency", "0"), ("--requests", "-5")])
def test_numbers_out_of_range_are_refused_as_usage(tmp_path: Path, option: tuple[str, str]) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "one"}\n', encoding="utf-8")

    result = CliRunner().invoke(traffic, [str(file), *option])

    assert result.exit_code == 2
    assert f"Invalid value for '{option[0]}'" in result.output
