"""The face that a plugin author imports; every name loads lazily."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlm.artifacts import Card as Card
    from mlm.artifacts import Dataset as Dataset
    from mlm.artifacts import Example as Example
    from mlm.artifacts import Model as Model
    from mlm.artifacts import Report as Report
    from mlm.batches import Batch as Batch
    from mlm.batches import Change as Change
    from mlm.batches import Removal as Removal
    from mlm.context import Context as Context
    from mlm.dataset_writer import DatasetWriter as DatasetWriter
    from mlm.errors import DataError as DataError
    from mlm.errors import MlmError as MlmError
    from mlm.errors import PluginError as PluginError
    from mlm.errors import ProjectError as ProjectError
    from mlm.errors import Refused as Refused
    from mlm.errors import Waiting as Waiting
    from mlm.events import StepEvent as StepEvent
    from mlm.hookspecs import API_VERSION as API_VERSION
    from mlm.hookspecs import hookimpl as hookimpl
    from mlm.intent import Candidate as Candidate
    from mlm.intent import Desired as Desired
    from mlm.intent import Living as Living
    from mlm.intent import Observed as Observed
    from mlm.intent import Proposal as Proposal
    from mlm.intent import Signal as Signal
    from mlm.intent import Window as Window
    from mlm.measures import Measure as Measure
    from mlm.measures import MetricSpec as MetricSpec
    from mlm.problem import Finding as Finding
    from mlm.problem import Problem as Problem
    from mlm.serving import Busy as Busy
    from mlm.serving import Engine as Engine
    from mlm.serving import EngineStopped as EngineStopped
    from mlm.serving import Generation as Generation
    from mlm.serving import Guard as Guard
    from mlm.serving import Judged as Judged
    from mlm.serving import Move as Move
    from mlm.serving import Postprocessor as Postprocessor
    from mlm.serving import Rollout as Rollout
    from mlm.serving import Sampling as Sampling
    from mlm.serving import Stage as Stage
    from mlm.serving import TextStream as TextStream
    from mlm.serving import Tokenizer as Tokenizer
    from mlm.settings import Secret as Secret
    from mlm.settings import input as input
    from mlm.settings import setting as setting
    from mlm.verdicts import Verdict as Verdict

_HOMES = {
    "artifacts": "Card Dataset Example Model Report",
    "batches": "Batch Change Removal",
    "context": "Context",
    "dataset_writer": "DatasetWriter",
    "errors": "DataError MlmError PluginError ProjectError Refused Waiting",
    "events": "StepEvent",
    "hookspecs": "API_VERSION hookimpl",
    "intent": "Candidate Desired Living Observed Proposal Signal Window",
    "problem": "Finding Problem",
    "measures": "Measure MetricSpec",
    "serving": "Busy Engine EngineStopped Generation Guard Judged Move Postprocessor Rollout Sampling Stage TextStream "
    "Tokenizer",
    "settings": "Secret input setting",
    "verdicts": "Verdict",
}
_HOME = {name: f"mlm.{module}" for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mlm' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
