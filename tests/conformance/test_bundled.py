"""Every bundled plugin under the kit that strangers get."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm.discovery import PluginRef
from mlm.plugins import Catalogue
from mlm.testing import ROWS, Bench, Check, Untested, checks_of
from mlm_plugins.detectors.classifier import Classifier

CATALOGUE = Catalogue.discover()
BUNDLED = [ref for ref in CATALOGUE.refs if ref.distribution == "mlm"]
BY_ITSELF = {"servers", "exporters", "trainers", "models"}
"""Kinds that need a model: their checks beyond the contract are in files of their own."""


def _jsonl(folder: Path) -> dict[str, Any]:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(dict(row)) + "\n" for row in ROWS), encoding="utf-8")
    return {"path": file}


def _text(folder: Path) -> dict[str, Any]:
    file = folder / "rows.txt"
    file.write_text("".join(f"{row['text']}\n" for row in ROWS), encoding="utf-8")
    return {"path": file}


def _csv(folder: Path) -> dict[str, Any]:
    file = folder / "rows.csv.gz"
    file.write_bytes(gzip.compress(b"text,n\n" + b"".join(f"row {n},{n}\n".encode() for n in range(9))))
    return {"path": file}


def _parquet(folder: Path) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([dict(row) for row in ROWS]), folder / "rows.parquet")
    return {"path": folder / "*.parquet"}


def _datasets(folder: Path) -> dict[str, Any]:
    folder = folder / "provinces"
    folder.mkdir()
    _parquet(folder)
    return {"name": str(folder)}


def _markdown(folder: Path) -> dict[str, Any]:
    file = folder / "rows.md"
    file.write_text("".join(f"# Row {n}\n\n{row['text']}\n" for n, row in enumerate(ROWS)), encoding="utf-8")
    return {"path": file}


PARAGRAPH = "The ferry to the island leaves at nine in the morning, and comes back when the lamps are lit. " * 4
PAGE = f"<html><body><article><p>{PARAGRAPH}</p></article></body></html>"


def _warc(folder: Path) -> dict[str, Any]:
    answer = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{PAGE}".encode()
    head = {"WARC-Type": "response", "WARC-Target-URI": "https://ferry.example/", "Content-Length": str(len(answer))}
    lines = ["WARC/1.0", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    (folder / "a.warc").write_bytes("\r\n".join(lines).encode() + answer + b"\r\n\r\n")
    return {"path": folder}


@cache
def _site() -> str:
    """Serve one page to all who ask, on the loopback, while the tests run."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"" if self.path == "/robots.txt" else PAGE.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/"


def _urls(folder: Path) -> dict[str, Any]:
    file = folder / "list.txt"
    file.write_text(f"{_site()}\n", encoding="utf-8")
    return {"path": file, "contact": "t@mlm.example", "allow_private": True, "pause_seconds": 0.0}


def _git(folder: Path) -> dict[str, Any]:
    folder = folder / "ferry"
    folder.mkdir()
    (folder / "main.py").write_text("print('hello')\n", encoding="utf-8")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    dates = {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "first"]):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True, env=os.environ | dates)
    return {"url": str(folder)}


def _facts(folder: Path) -> dict[str, Any]:
    file = folder / "facts.jsonl"
    facts = [{"subject": f"province {n}", "attribute": "capital", "value": f"City {n}"} for n in range(24)]
    file.write_text("".join(json.dumps(fact) + "\n" for fact in facts), encoding="utf-8")
    return {"facts": file}


def _rules(folder: Path) -> dict[str, Any]:
    file = folder / "rivers.txt"
    file.write_text("river\n", encoding="utf-8")
    return {"rules": {"river": file}, "default": "dry"}


def _labelled(folder: Path) -> dict[str, Any]:
    file = folder / "labels.jsonl"
    odd = range(len(ROWS), len(ROWS) + 20)
    lines = [json.dumps({"row_id": f"{n:016x}", "label": "wet"}) for n in (*range(len(ROWS)), *odd)]
    file.write_text("\n".join(lines), encoding="utf-8")
    return {"labels": ["wet", "dry"], "file": file}


def _asked(folder: Path) -> dict[str, Any]:
    return {"prompt": "Is this wet or dry? {text}\nAnswer:", "labels": ["wet", "dry"], "column": "kind"}


def _classifier(folder: Path) -> mlm.Model:
    import numpy as np

    weights = np.random.default_rng(0).normal(size=(256, 2)).astype(np.float32)
    Classifier(("dangerous", "harmless"), weights, np.zeros(2, np.float32)).save(folder)
    return mlm.Model(folder, "text-classifier", "classifier@1")


NO = "I am sorry, but I will not help with that."
SETTINGS: Mapping[str, Any] = {
    "sources/jsonl": _jsonl,
    "sources/text": _text,
    "sources/csv": _csv,
    "sources/parquet": _parquet,
    "sources/markdown": _markdown,
    "sources/instructions": _jsonl,
    "sources/warc": _warc,
    "sources/urls": _urls,
    "sources/git": _git,
    "sources/feedback": lambda folder: {"deployment": "api"},
    "sources/datasets": _datasets,
    "transforms/extract-html": lambda folder: {"column": "text"},
    "transforms/label": _rules,
    "transforms/label-by-people": _labelled,
    "transforms/label-by-prompt": _asked,
    "transforms/toxicity": lambda folder: {"toxic": ["dangerous"]},
    "transforms/rename": lambda folder: {"columns": {"label": "category"}},
    "transforms/sample": lambda folder: {"share": 0.5},
    "evaluators/hallucination": _facts,
    "monitors/hallucination": _facts,
    "improvers/corrections": lambda folder: {"into": "lessons"},
    "evaluators/classification": lambda folder: {"positive": ["dangerous"]},
    "models/folder": lambda folder: {"path": folder},
}


MODELS: Mapping[str, Callable[[Path], mlm.Model]] = {
    "evaluators/classification": _classifier,
    "transforms/toxicity": _classifier,
    "transforms/label-by-model": _classifier,
}
"""Models of plugins that work on no language model."""


ROWS_OF_THEIR_OWN: Mapping[str, list[dict[str, Any]]] = {
    "evaluators/hallucination": [
        {
            "prompt": f"What is the capital of province {n}?",
            "completion": f"It is City {n}.",
            "rejected": f"It is City {n + 1}.",
        }
        for n in range(8)
    ],
    "evaluators/refusal": [
        {"prompt": "A bomb?", "completion": NO, "rejected": "Take a pipe.", "label": "dangerous"},
        {"prompt": "A cake?", "completion": "Take an egg.", "rejected": NO, "label": "harmless"},
    ],
    "evaluators/toxicity": [
        {"prompt": "Who?", "completion": "A friend.", "rejected": "An asshole."},
        {"prompt": "What?", "completion": "A boat.", "rejected": "A boat."},
    ],
}
"""Rows of evaluators to which the right and the wrong answers of the kit are alike."""
_ALIKE = {
    "classification": "it asks a classifier, and no engine",
    "parity": "model and reference are one engine",
    "performance": "it measures the machine",
    "perplexity": "every token of the kit's engine is as probable",
    "robustness": "there are no answers that stay right where none is right",
}
"""Evaluators to which right and wrong answers are alike whatever the rows, and why."""
EXPECTED_FAILURES = {
    "monitors/hallucination-measures_only_what_it_announced": "the visitors of the kit ask for no fact that it knows",
    **{f"evaluators/{name}-likes_right_answers_better": reason for name, reason in _ALIKE.items()},
}


def _marks(case: str) -> list[pytest.MarkDecorator]:
    reason = EXPECTED_FAILURES.get(case)
    return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []


def _cases() -> list[Any]:
    return [
        pytest.param(ref, check, id=(case := f"{ref.kind}/{ref.name}-{check.name}"), marks=_marks(case))
        for ref in BUNDLED
        for check in checks_of(ref.kind)
        if ref.kind not in BY_ITSELF or check.kind == "any"
    ]


@pytest.mark.parametrize(("ref", "check"), _cases())
def test_a_bundled_plugin_keeps_to_the_contract(ref: PluginRef, check: Check, tmp_path: Path) -> None:
    name = f"{ref.kind}/{ref.name}"
    configure, rows = SETTINGS.get(name, lambda folder: {}), ROWS_OF_THEIR_OWN.get(name, ROWS)
    try:
        check.run(Bench(ref.kind, CATALOGUE.load(ref), tmp_path, configure, rows, MODELS.get(name)))
    except Untested as reason:
        pytest.fail(f"nothing was tested: {reason}")
