"""Broken policies that wrap steps, and broken targets."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from typing import Any

from attrs import define, field

import mlm

Wrapper = Generator[None, mlm.Model, mlm.Model]


@define(kw_only=True)
class Usurper:
    """Trains in the trainer's place."""

    @mlm.hookimpl
    def mlm_train(self, context: mlm.Context) -> None:
        """Is called, and asked for nothing."""


@define(kw_only=True)
class Meddler:
    """Hands on a model of its own."""

    @mlm.hookimpl(wrapper=True)
    def mlm_train(self, context: mlm.Context) -> Wrapper:
        made = yield
        return mlm.Model(made.path, "mine")


@define(kw_only=True)
class Comforter:
    """Makes a failed evaluation into an empty one."""

    @mlm.hookimpl(wrapper=True)
    def mlm_evaluate(self) -> Generator[None, mlm.Report, mlm.Report]:
        try:
            return (yield)
        except ZeroDivisionError:
            return mlm.Report(())


@define(kw_only=True)
class Insomniac:
    """Takes an interruption for an error of its own kind."""

    @mlm.hookimpl(wrapper=True)
    def mlm_train(self) -> Wrapper:
        try:
            return (yield)
        except KeyboardInterrupt as error:
            raise RuntimeError("who dares?") from error


@define(kw_only=True)
class Boaster:
    """Is always ready, with whatever it began with."""

    served: int = field(init=False, default=0)

    @mlm.hookimpl
    def mlm_apply(self, desired: mlm.Desired, context: mlm.Context) -> mlm.Observed:
        for arm in desired.arms:
            context.admit(arm.node)
        self.served = self.served or desired.revision
        return mlm.Observed(self.served, "here:", ready=True)


@define(kw_only=True)
class Restless:
    """Opens another endpoint each time."""

    ports: Any = field(init=False, factory=lambda: itertools.count(8000))

    @mlm.hookimpl
    def mlm_apply(self, desired: mlm.Desired, context: mlm.Context) -> mlm.Observed:
        for arm in desired.arms:
            context.admit(arm.node)
        return mlm.Observed(desired.revision, f"http://localhost:{next(self.ports)}", ready=True)


@define(kw_only=True)
class Smuggler:
    """Serves what it is told to, admitted or not."""

    @mlm.hookimpl
    def mlm_apply(self, desired: mlm.Desired) -> mlm.Observed:
        return mlm.Observed(desired.revision, "harbour:", ready=True)


def animals() -> list[tuple[str, type[Any], str]]:
    """List kind, class and the check that finds it."""
    return [
        ("policies", Usurper, "wraps_steps_and_does_not_answer_for_them"),
        ("policies", Meddler, "passes_on_what_a_step_makes"),
        ("policies", Comforter, "passes_on_what_a_step_raises"),
        ("policies", Insomniac, "passes_on_what_a_step_raises"),
        ("targets", Boaster, "says_no_more_than_it_serves"),
        ("targets", Restless, "changes_nothing_the_second_time"),
        ("targets", Smuggler, "serves_only_what_is_admitted"),
    ]
