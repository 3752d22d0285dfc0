"""A small project that would run, for one thing at a time to go wrong in."""

from __future__ import annotations

import pytest
from trial import TrialProject

PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"

[training.chat]
use = "memory"
data = "lessons"

[evaluation.quality]
use = "exact-match"
model = "chat"
data = "lessons"

[deployment.api]
use = "gateway"
port = 0
model = "chat"

[requirements.usefulness]
metric = "exact_match"
min = 0.1
"""


@pytest.fixture
def sound(project: TrialProject) -> TrialProject:
    """A project in which nothing is wrong yet, and nothing has run."""
    project.jsonl("lessons.jsonl", [{"prompt": f"{i}?", "completion": f"{i}"} for i in range(5)])
    project.write(PROJECT)
    return project
