"""The conformance kit: what every plugin of a kind must keep to, for bundled plugins and for those of strangers.

In a test, one class a plugin: `class TestMine(SourceConformance): plugin = Mine`. From the command line:
`mlm plugins check trainers/mine`.
"""

from __future__ import annotations

from mlm.testing.bench import Bench
from mlm.testing.checking import Broken, Check, checks_of
from mlm.testing.classes import (
    CheckConformance,
    Conformance,
    EvaluatorConformance,
    ExecutorConformance,
    GuardConformance,
    ImproverConformance,
    ModelConformance,
    MonitorConformance,
    PolicyConformance,
    PostprocessorConformance,
    ReviewConformance,
    RolloutConformance,
    SourceConformance,
    StarterConformance,
    TrainerConformance,
    TransformConformance,
    TriggerConformance,
)
from mlm.testing.scripted import ScriptedEngine

__all__ = [
    "Bench",
    "Broken",
    "Check",
    "CheckConformance",
    "Conformance",
    "EvaluatorConformance",
    "ExecutorConformance",
    "GuardConformance",
    "ImproverConformance",
    "ModelConformance",
    "MonitorConformance",
    "PolicyConformance",
    "PostprocessorConformance",
    "ReviewConformance",
    "RolloutConformance",
    "ScriptedEngine",
    "SourceConformance",
    "StarterConformance",
    "TrainerConformance",
    "TransformConformance",
    "TriggerConformance",
    "checks_of",
]
