"""One typed method a hook: the only place that calls a plugin.

A plugin with policies has a manager of its own, in which they may wrap its hooks. One without is called as pluggy would
call it, and pluggy holds its class against the contract once. A result of the wrong type is blamed on the plugin and
version that gave it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
from attrs import evolve

from mlm import hookspecs
from mlm.announcing import broken_word, in_its_unit
from mlm.blaming import remedy
from mlm.discovery import PluginRef
from mlm.errors import PluginError
from mlm.plugins import implements
from mlm.remembering import remembered
from mlm.tracing import TRACE, traced

if TYPE_CHECKING:
    import click

    from mlm.artifacts import Dataset, Model, Report
    from mlm.batches import Batch
    from mlm.context import Context
    from mlm.events import StepEvent
    from mlm.intent import Candidate, Desired, Living, Observed, Proposal, Signal, Window
    from mlm.measures import Measure, MetricSpec
    from mlm.problem import Finding, Problem
    from mlm.serving import Engine, Guard, Postprocessor, Rollout
    from mlm.shards import Shard
    from mlm.verdicts import Verdict

T = TypeVar("T")


class _Manager(pluggy.PluginManager):
    """Finds hooks by the marks on functions of the class alone: pluggy's own search takes five times as long.

    Asking the class, not the object, leaves properties alone as pluggy does.
    """

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> Any:
        return _mark(getattr(module_or_class, name), "mlm_spec")

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        return _mark(getattr(type(plugin), name, None), "mlm_impl")


def _mark(value: Any, name: str) -> Any:
    options = getattr(value, name, None)
    return options if isinstance(options, dict) else None


@remembered
def _specifications(*classes: type[Any]) -> type[Any]:
    """Return the hooks that any of those classes has, for pluggy: to add them all takes ten times as long."""
    hooks = {name: value for name, value in vars(hookspecs).items() if _mark(value, "mlm_spec")}
    return type("hooks", (), {name: hook for name, hook in hooks.items() if any(hasattr(c, name) for c in classes)})


Arguments = tuple[Sequence[str], Sequence[str]]
"""Names of a hook's arguments: those without a default, and those with one."""
_TAKEN: dict[type[Any], Mapping[str, Arguments]] = {}
"""Of each class that keeps to the contract: the arguments that its hooks take."""


def _taken(manager: _Manager) -> Mapping[str, Arguments]:
    """Return the arguments of each hook of the one plugin in a manager; a wrapper among its hooks is left to pluggy."""
    found = [(name, one) for name, caller in vars(manager.hook).items() for one in caller.get_hookimpls()]
    return {name: (one.argnames, one.kwargnames) for name, one in found if not (one.wrapper or one.hookwrapper)}


class Plugin:
    """A configured plugin object with a typed method for each hook."""

    def __init__(self, ref: PluginRef, instance: Any, policies: Sequence[Plugin] = ()) -> None:
        self.ref, self.instance, self._policies = ref, instance, tuple(policies)
        self._taken: Mapping[str, Arguments] = {}
        if policies:
            _ = self._manager
        elif type(instance) in _TAKEN:
            self._taken = _TAKEN[type(instance)]
        else:
            self._taken = _TAKEN[type(instance)] = _taken(self._manager)

    @cached_property
    def _manager(self) -> _Manager:
        manager = _Manager("mlm")
        manager.add_hookspecs(_specifications(type(self.instance), *(type(p.instance) for p in self._policies)))
        for position, policy in enumerate(self._policies):
            manager.register(policy.instance, name=f"policy {position}: {policy.ref.identity}")
        try:
            manager.register(self.instance, name=self.ref.identity)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(f"{self._who} breaks the hook contract: {error}") from error
        return manager

    def __reduce__(self) -> tuple[type[Plugin], tuple[Any, ...]]:
        """Go to another process as what it was made of: pluggy's manager cannot."""
        return Plugin, (self.ref, self.instance, self._policies)

    def implements(self, hook: str) -> bool:
        return implements(type(self.instance), hook)

    @property
    def metrics(self) -> tuple[MetricSpec, ...]:
        """What an evaluator or a monitor measures."""
        return tuple(getattr(self.instance, "metrics", ()))

    def start(self, folder: Path, seed: int) -> None:
        self._call("mlm_start", folder=folder, seed=seed)

    def review(self, problem: Problem, context: Context) -> list[Finding]:
        from mlm.problem import Finding

        return self._list(Finding, "mlm_review", problem=problem, context=context)

    def version(self, context: Context) -> str | None:
        return self._optional(str, "mlm_version", context=context)

    def read(self, context: Context) -> Dataset:
        from mlm.artifacts import Dataset

        return self._one(Dataset, "mlm_read", context=context)

    def map(self, batch: Batch, context: Context) -> Batch:
        from mlm.batches import Batch

        return self._one(Batch, "mlm_map", batch=batch, context=context)

    def transform(self, data: Dataset, context: Context) -> Dataset:
        from mlm.artifacts import Dataset

        return self._one(Dataset, "mlm_transform", data=data, context=context)

    def import_model(self, context: Context) -> Model:
        from mlm.artifacts import Model

        return self._one(Model, "mlm_import", context=context)

    def train(self, data: Dataset, model: Model | None, context: Context) -> Model:
        from mlm.artifacts import Model

        return self._one(Model, "mlm_train", data=data, model=model, context=context)

    def export(self, model: Model, context: Context) -> Model:
        from mlm.artifacts import Model

        return self._one(Model, "mlm_export", model=model, context=context)

    def evaluate(self, model: Model, data: Dataset | None, context: Context) -> Report:
        report = self.report(model, data, context)
        return evolve(report, measures=tuple(self._announced("mlm_evaluate", m) for m in report.measures))

    def report(self, model: Model, data: Dataset | None, context: Context) -> Report:
        """Return what an evaluator found, not yet held against its `metrics`."""
        from mlm.artifacts import Report

        return self._one(Report, "mlm_evaluate", model=model, data=data, context=context)

    def check(self, candidate: Candidate, context: Context) -> Verdict:
        from mlm.verdicts import Verdict

        return self._one(Verdict, "mlm_check", candidate=candidate, context=context)

    def observe(self, event: StepEvent) -> None:
        if self.implements("mlm_observe"):
            self._call("mlm_observe", event=event)

    def load(self, model: Model, context: Context) -> Engine:
        return self._having("generate", "mlm_load", model=model, context=context)  # type: ignore[no-any-return]

    def guard(self, context: Context) -> Guard:
        return self._having("judge", "mlm_guard", context=context)  # type: ignore[no-any-return]

    def postprocess(self, context: Context) -> Postprocessor:
        return self._having("open", "mlm_postprocess", context=context)  # type: ignore[no-any-return]

    def rollout(self, context: Context) -> Rollout:
        return self._having("judge", "mlm_rollout", context=context)  # type: ignore[no-any-return]

    def apply(self, desired: Desired, context: Context) -> Observed:
        from mlm.intent import Observed

        return self._one(Observed, "mlm_apply", desired=desired, context=context)

    def serve(self, desired: Desired, context: Context) -> None:
        self._call("mlm_serve", desired=desired, context=context)

    def measure(self, window: Window, context: Context) -> list[Signal]:
        found = self.signals(window, context)
        return [evolve(signal, measure=self._announced("mlm_measure", signal.measure)) for signal in found]

    def signals(self, window: Window, context: Context) -> list[Signal]:
        """Return what a monitor measured, not yet held against its `metrics`."""
        from mlm.intent import Signal

        return self._list(Signal, "mlm_measure", window=window, context=context)

    def improve(self, signals: list[Signal], window: Window, context: Context) -> Proposal | None:
        from mlm.intent import Proposal

        return self._optional(Proposal, "mlm_improve", signals=signals, window=window, context=context)

    def assess(self, version: Living, context: Context) -> Verdict:
        from mlm.verdicts import Verdict

        return self._one(Verdict, "mlm_assess", version=version, context=context)

    def execute(self, work: Callable[[], T], context: Context) -> T:
        return self._call("mlm_execute", work=work, context=context)  # type: ignore[no-any-return]

    def spread(self, work: Callable[[Shard], int], shards: Sequence[Shard], context: Context) -> Iterator[int]:
        return self._having("__iter__", "mlm_spread", work=work, shards=shards, context=context)  # type: ignore[no-any-return]

    def command(self) -> click.Command:
        return self._having("callback", "mlm_command")  # type: ignore[no-any-return]

    @property
    def _who(self) -> str:
        return f"{self.ref.identity} {self.ref.version}"

    def _announced(self, hook: str, measure: Measure) -> Measure:
        if wrong := broken_word([measure], self.metrics):
            raise self._defect(hook, *wrong)
        return in_its_unit(measure, self.metrics)

    def _defect(self, hook: str, what: str, mend: str = "") -> PluginError:
        return PluginError(f"{self._who}: {what}{remedy(self.ref, type(self.instance), hook, mend)}")

    def _call(self, hook: str, **arguments: Any) -> Any:
        if TRACE in os.environ:
            return traced(self._who, hook, arguments, lambda: self._answer(hook, arguments))
        return self._answer(hook, arguments)

    def _answer(self, hook: str, arguments: Mapping[str, Any]) -> Any:
        if hook not in self._taken:
            return getattr(self._manager.hook, hook)(**arguments)
        required, optional = self._taken[hook]
        given = {name: arguments[name] for name in optional if name in arguments}
        return getattr(self.instance, hook)(*(arguments[name] for name in required), **given)

    def _one(self, kind: type[T], hook: str, **arguments: Any) -> T:
        result = self._call(hook, **arguments)
        if not isinstance(result, kind):
            raise self._defect(hook, f"{hook} returned {type(result).__name__}, expected {kind.__name__}")
        return result

    def _optional(self, kind: type[T], hook: str, **arguments: Any) -> T | None:
        result = self._call(hook, **arguments)
        if result is not None and not isinstance(result, kind):
            raise self._defect(hook, f"{hook} returned {type(result).__name__}, expected {kind.__name__} or None")
        return result

    def _list(self, kind: type[T], hook: str, **arguments: Any) -> list[T]:
        result = self._one(list, hook, **arguments)
        wrong = next((item for item in result if not isinstance(item, kind)), None)
        if wrong is not None:
            raise self._defect(hook, f"{hook} returned a list with {type(wrong).__name__}, expected {kind.__name__}")
        return result

    def _having(self, method: str, hook: str, **arguments: Any) -> Any:
        result = self._call(hook, **arguments)
        if not hasattr(result, method):
            raise self._defect(hook, f"{hook} returned {type(result).__name__}, which has no `{method}`")
        return result
