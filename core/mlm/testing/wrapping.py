"""What policies keep to that wrap the hooks of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field

from mlm.artifacts import Dataset, Model, Report
from mlm.calls import Plugin
from mlm.context import Context
from mlm.hookspecs import hookimpl
from mlm.plugins import implements
from mlm.testing.bench import Bench
from mlm.testing.checking import check, demand

_CALLS: dict[str, Callable[[Plugin, Bench, Context], Any]] = {
    "mlm_read": lambda step, bench, context: step.read(context),
    "mlm_transform": lambda step, bench, context: step.transform(bench.dataset(), context),
    "mlm_import": lambda step, bench, context: step.import_model(context),
    "mlm_train": lambda step, bench, context: step.train(bench.dataset(), None, context),
    "mlm_export": lambda step, bench, context: step.export(bench.model(), context),
    "mlm_evaluate": lambda step, bench, context: step.report(bench.model(), bench.dataset(), context),
}
"""Hooks that make an artifact, and how each is called."""


@define(kw_only=True, eq=False)
class _Step:
    """Every step in one: each hook makes what it is told to, or raises it."""

    outcome: Any
    calls: list[str] = field(factory=list)

    @hookimpl
    def mlm_read(self) -> Dataset:
        return self._ended("mlm_read")  # type: ignore[no-any-return]

    @hookimpl
    def mlm_transform(self) -> Dataset:
        return self._ended("mlm_transform")  # type: ignore[no-any-return]

    @hookimpl
    def mlm_import(self) -> Model:
        return self._ended("mlm_import")  # type: ignore[no-any-return]

    @hookimpl
    def mlm_train(self) -> Model:
        return self._ended("mlm_train")  # type: ignore[no-any-return]

    @hookimpl
    def mlm_export(self) -> Model:
        return self._ended("mlm_export")  # type: ignore[no-any-return]

    @hookimpl
    def mlm_evaluate(self) -> Report:
        return self._ended("mlm_evaluate")  # type: ignore[no-any-return]

    def _ended(self, hook: str) -> Any:
        self.calls.append(hook)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@check("policies")
def wraps_steps_and_does_not_answer_for_them(bench: Bench) -> None:
    """A step's hook that it has is a wrapper, and not a second step."""
    for hook in _wrapped(bench):
        options = getattr(bench.cls, hook).mlm_impl
        demand(
            options["wrapper"] or options["hookwrapper"],
            f"its `{hook}` would answer in the step's place; write `@mlm.hookimpl(wrapper=True)` and `return (yield)`",
        )


@check("policies")
def passes_on_what_a_step_makes(bench: Bench) -> None:
    """Round a step, it lets the work be done once, and returns what came of it."""
    for hook in _wrapped(bench):
        outcome = _made(bench, hook)
        step = _Step(outcome=outcome)
        made = _CALLS[hook](_under(bench, step), bench, bench.context())
        demand(step.calls == [hook], f"under it {hook} ran {len(step.calls)} times; `yield` once")
        demand(made is outcome, f"{hook} made one {type(outcome).__name__}, and it returned another; `return (yield)`")


@check("policies")
def passes_on_what_a_step_raises(bench: Bench) -> None:
    """A step that fails, or that a user interrupts, fails and is interrupted under it too."""
    for hook in _wrapped(bench):
        for error in (ZeroDivisionError("in the step"), KeyboardInterrupt()):
            came: BaseException | None = None
            try:
                _CALLS[hook](_under(bench, _Step(outcome=error)), bench, bench.context())
            except BaseException as raised:
                came = raised
            demand(
                came is error,
                f"{hook} raised {type(error).__name__}, and {type(came).__name__ if came else 'nothing'} came out;"
                " let errors pass, with `try: ... finally:` round the `yield`",
            )


def _wrapped(bench: Bench) -> list[str]:
    return [hook for hook in _CALLS if implements(bench.cls, hook)]


def _under(bench: Bench, step: _Step) -> Plugin:
    """Return the step, wrapped by the policy as a project would have it."""
    return Plugin(evolve(bench.ref, kind="trainers", name="step"), step, [bench.plugin()])


def _made(bench: Bench, hook: str) -> Dataset | Model | Report:
    if hook in ("mlm_read", "mlm_transform"):
        return bench.dataset()
    return Report(()) if hook == "mlm_evaluate" else bench.model()
