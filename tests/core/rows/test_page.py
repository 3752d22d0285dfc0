"""The page of a dataset."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from trial import TrialProject

PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = ["shout", { use = "drop", word = "BAD" }]
"""


@pytest.fixture
def written(project: TrialProject, tmp_path: Path) -> str:
    project.jsonl("lessons.jsonl", [{"text": "a good row"}, {"text": "<b>bad & poor</b>"}, {"text": "x" * 2000}])
    project.write(PROJECT)
    project.run()
    page = tmp_path / "page.html"
    assert project.mlm("data", "report", "lessons", "--output", page).out == f"wrote {page}\n"
    return page.read_text(encoding="utf-8")


def test_it_is_named_after_the_dataset(project: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.jsonl("lessons.jsonl", [{"text": "a good row"}])
    project.write(PROJECT)
    project.run()
    monkeypatch.chdir(tmp_path)

    assert project.mlm("data", "report", "lessons").out == "wrote lessons@1.html\n"
    assert (tmp_path / "lessons@1.html").exists()


def test_it_counts_what_each_transform_did(written: str) -> None:
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", written)]

    assert cells[:15] == ["jsonl", "3", "3", "0", "—", "", "shout", "3", "3", "3", "—", "", "drop", "3", "2"]


def test_it_shows_examples_for_each_reason_as_text(written: str) -> None:
    assert "drop: dropped" in written
    assert "&lt;B&gt;BAD &amp; POOR&lt;/B&gt;" in written
    assert "<B>" not in written


def test_it_draws_lengths_before_and_after(written: str) -> None:
    assert "16 to 31 characters: 1 before, 0 after" in written
    assert "1,024 to 2,047 characters: 1 before, 1 after" in written


def test_it_needs_nothing_else(written: str) -> None:
    assert "http" not in written
    assert "<script" not in written
