"""A project opened for work: its file, its registry, its plugins and their contexts."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mlm.errors import MlmError
from mlm.project import FILE, Project, load_project
from mlm.requirements import requirements_digest
from mlm_registry import Registry

if TYPE_CHECKING:
    from mlm.artifacts import Model
    from mlm.bindings import Binding
    from mlm.calls import Plugin
    from mlm.context import Context
    from mlm.engines import EnginePool
    from mlm.events import StepEvent
    from mlm.intent import Window
    from mlm.plugins import Catalogue
    from mlm.serving import Engine
    from mlm.steps import Step
    from mlm_registry import Amendment


class Workspace:
    """Everything that a verb needs, opened lazily and closed together."""

    def __init__(self, folder: Path, report: Callable[[str], None] = lambda line: None) -> None:
        self.folder = folder
        self.project: Project = load_project(folder)
        self.report = report
        """Hears one line for each thing that went wrong and was survived."""
        self.debugging = False
        """Whether a failed step shows its traceback."""
        self._graph: tuple[list[Amendment], list[Step]] | None = None
        """The step graph, and the amendments that it was made of."""

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if "engines" in vars(self):
            self.engines.close()
        if "registry" in vars(self):
            self.registry.close()

    @cached_property
    def registry(self) -> Registry:
        return Registry.open(self.project.registry, remote=self.project.remote)

    @cached_property
    def catalogue(self) -> Catalogue:
        from mlm.plugins import Catalogue

        return Catalogue.discover(self.project.rules, self.report)

    @cached_property
    def engines(self) -> EnginePool:
        from mlm.engines import EnginePool

        return EnginePool(self._load_engine)

    @property
    def amendments(self) -> list[Amendment]:
        return self.registry.improvements.amendments()

    @property
    def steps(self) -> list[Step]:
        """The step graph as file and amendments say now."""
        amendments = self.amendments
        if self._graph is None or self._graph[0] != amendments:
            from mlm.steps import step_graph

            self._graph = amendments, step_graph(self.project, self.catalogue, amendments)
        return self._graph[1]

    @property
    def requirements_digest(self) -> str:
        return requirements_digest(self.project.requirements)

    @cached_property
    def policies(self) -> list[Plugin]:
        from mlm.calls import Plugin

        bindings = [self.bind("policies", spec, "governance.policies") for spec in self.project.governance.policies]
        return [Plugin(binding.ref, binding.build()) for binding in bindings]

    @cached_property
    def executor(self) -> Plugin | None:
        spec = self.project.governance.executor
        return self.plugin("executors", spec, "governance.executor") if spec else None

    def bind(self, kind: str, spec: str | Mapping[str, Any], where: str, own: Collection[str] = ()) -> Binding:
        from mlm.bindings import bind

        return bind(self.catalogue, kind, spec, f"{FILE}, {where}", self.folder, own=own)

    def plugin(
        self, kind: str, spec: str | Mapping[str, Any], where: str, inputs: Mapping[str, Any] | None = None
    ) -> Plugin:
        """Return a configured plugin, wrapped by the project's policies."""
        return self.configured(self.bind(kind, spec, where), inputs)

    def configured(self, binding: Binding, inputs: Mapping[str, Any] | None = None) -> Plugin:
        from mlm.calls import Plugin

        return Plugin(binding.ref, binding.build(inputs), self.policies)

    def context(self, step: str, folder: Path | None = None, work: Path | None = None) -> Context:
        """Return a context; without folders of its own it is for hooks that write nothing."""
        from mlm.context import Context

        nowhere = self.project.registry / "nowhere"
        return Context(
            folder=folder or nowhere,
            work=work or nowhere,
            project=self.folder,
            problem=self.project.problem,
            seed=self.project.seed,
            threads=self.project.threads,
            step=step,
            load=self.engines.get,
            window=self._window,
        )

    def _window(self, deployment: str) -> Window:
        from mlm.monitoring import window

        return window(self, deployment, since=0.0)

    def observe(self, event: StepEvent) -> None:
        """Tell every policy; one that fails is reported and harms nobody."""
        for policy in self.policies:
            try:
                policy.observe(event)
            except Exception as error:
                self.report(f"{policy.ref.identity} failed to observe: {error}")

    def _load_engine(self, model: Model, server: str | Mapping[str, Any] | None = None) -> Engine:
        plugin = self.plugin("servers", server or model.library, "server")
        return plugin.load(model, self.context("server"))

    def loader(self, server: str | Mapping[str, Any] | None) -> Callable[[Model, bool], Engine]:
        """Return a loader by a named server plugin, for deployments."""
        return lambda model, fresh: self._load_engine(model, server)

    def serving_context(self, step: str, server: Any, admit: Callable[[int], Model]) -> Context:
        from attrs import evolve

        context = self.context(step)
        return evolve(context, admit=admit, load=self.loader(server))

    def allowed(self, action: str, by: str) -> None:
        """Refuse an action that `[access]` gives to others."""
        people = getattr(self.project.access, action)
        if people and by not in people:
            raise MlmError(f"'{by}' may not {action} (allowed: {', '.join(people)})  [{FILE}, access.{action}]")


@cache
def opened(folder: Path) -> Workspace:
    """Return this process's workspace of a project, for what runs beside the process that opened it; it stays open."""
    return Workspace(folder)


def current_user() -> str:
    """Return the name under which this process acts: MLM_USER, or the login name."""
    import getpass

    try:
        return os.environ.get("MLM_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
