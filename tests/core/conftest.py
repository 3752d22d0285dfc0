"""The smallest project with a model."""

from __future__ import annotations

import pytest
from trial import TrialProject

LEARN = """
[data.lessons]
use = "pairs"
rows = { "one?" = "1", "two?" = "2", "three?" = "3" }

[training.chat]
use = "memory"
data = "lessons"
"""


@pytest.fixture
def learning(project: TrialProject) -> TrialProject:
    """A project of two steps: lessons, and a model that learns them."""
    project.write(LEARN)
    return project
