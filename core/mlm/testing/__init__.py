"""The conformance kit: what every plugin of a kind must keep to, for bundled plugins and for those of strangers.

In a test, one class a plugin: `class TestMine(SourceConformance): plugin = Mine`. From the command line:
`mlm plugins check trainers/mine`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlm.testing.bench import ROWS as ROWS
from mlm.testing.bench import Bench as Bench
from mlm.testing.checking import Broken as Broken
from mlm.testing.checking import Check as Check
from mlm.testing.checking import Untested as Untested
from mlm.testing.checking import checks_of as checks_of
from mlm.testing.own_rows import read_rows as read_rows
from mlm.testing.scripted import ScriptedEngine as ScriptedEngine

if TYPE_CHECKING:
    from mlm.testing.classes import CheckConformance as CheckConformance
    from mlm.testing.classes import CommandConformance as CommandConformance
    from mlm.testing.classes import Conformance as Conformance
    from mlm.testing.classes import EvaluatorConformance as EvaluatorConformance
    from mlm.testing.classes import ExecutorConformance as ExecutorConformance
    from mlm.testing.classes import ExporterConformance as ExporterConformance
    from mlm.testing.classes import GuardConformance as GuardConformance
    from mlm.testing.classes import ImproverConformance as ImproverConformance
    from mlm.testing.classes import ModelConformance as ModelConformance
    from mlm.testing.classes import MonitorConformance as MonitorConformance
    from mlm.testing.classes import PolicyConformance as PolicyConformance
    from mlm.testing.classes import PostprocessorConformance as PostprocessorConformance
    from mlm.testing.classes import ReviewConformance as ReviewConformance
    from mlm.testing.classes import RolloutConformance as RolloutConformance
    from mlm.testing.classes import ServerConformance as ServerConformance
    from mlm.testing.classes import SourceConformance as SourceConformance
    from mlm.testing.classes import StarterConformance as StarterConformance
    from mlm.testing.classes import TargetConformance as TargetConformance
    from mlm.testing.classes import TrainerConformance as TrainerConformance
    from mlm.testing.classes import TransformConformance as TransformConformance
    from mlm.testing.classes import TriggerConformance as TriggerConformance


def __getattr__(name: str) -> Any:
    """Import the test classes when they are asked for: they need pytest, and `mlm plugins check` does not."""
    if not name.endswith("Conformance"):
        raise AttributeError(f"module 'mlm.testing' has no attribute '{name}'")
    from mlm.testing import classes

    return getattr(classes, name)
