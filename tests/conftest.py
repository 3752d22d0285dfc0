"""What tests of the whole share: a project in a temporary folder, and the environment of a user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from trial import LESSONS, LIFE, TrialProject

PLUGINS = Path(__file__).parent / "plugins_for_tests"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialProject:
    """An empty project folder; its user is `tester`."""
    monkeypatch.setenv("MLM_USER", "tester")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    return TrialProject(folder)


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a subprocess that finds the plugins for tests."""
    return {**os.environ, "PYTHONPATH": str(PLUGINS), "MLM_USER": "tester"}


@pytest.fixture
def life(project: TrialProject) -> TrialProject:
    """A project whose model has passed its exam; nothing of it has run yet."""
    project.jsonl("lessons.jsonl", LESSONS)
    project.jsonl("exam.jsonl", LESSONS[:30])
    project.write(LIFE)
    return project
