"""A small life: a model that learns by heart, an exam, an endpoint, visitors."""

from __future__ import annotations

import pytest
from trial import TrialProject

LESSONS = [{"prompt": f"What is the capital of {i}?", "completion": f"City {i}"} for i in range(60)]
LIFE = """
[requirements]
usefulness = { metric = "exact_match", min = 0.8 }
content = { metric = "complaint_rate", max = 0.4 }

[data.lessons]
use = "jsonl"
path = "lessons.jsonl"

[data.exam]
use = "jsonl"
path = "exam.jsonl"

[training.chat]
use = "memory"
data = "lessons"

[evaluation.quality]
use = "exact-match"
model = "chat"
data = "exam"

[deployment.api]
use = "shelf"
model = "chat"
rollout = { use = "canary", shares = [5, 25, 100], min_samples = 8 }

[monitoring.ratings]
use = "ratings"

[improvement.corrections]
use = "corrections"
into = "lessons"
min_corrections = 5

[retirement.superseded]
use = "superseded"
"""
LEARN = """
[data.lessons]
use = "pairs"
rows = { "one?" = "1", "two?" = "2", "three?" = "3" }

[training.chat]
use = "memory"
data = "lessons"
"""


@pytest.fixture
def life(project: TrialProject) -> TrialProject:
    """A project whose model has passed its exam; nothing of it has run yet."""
    project.jsonl("lessons.jsonl", LESSONS)
    project.jsonl("exam.jsonl", LESSONS[:30])
    project.write(LIFE)
    return project


@pytest.fixture
def learning(project: TrialProject) -> TrialProject:
    """A project of two steps: lessons, and a model that learns them."""
    project.write(LEARN)
    return project
