"""The arms that this process serves, kept in step with the registry while requests run.

The registry is read and written by one thread (SQLite's data_version counts what others than this connection wrote),
models are loaded by another, and only the event loop replaces the roster.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from mlm.errors import Refused
from mlm.serving import Engine, Rollout
from mlm_plugins.targets.gateway.arms import LoadedArm, Roster, by_share, rescaled
from mlm_plugins.targets.gateway.errors import ApiError, unavailable
from mlm_registry import Deployment, Observation

if TYPE_CHECKING:
    from mlm_registry import Registry

POLL_SECONDS = 0.25
RETRY_SECONDS = 60.0
"""How soon a refused model is asked for again, each refusal is a row of the audit log; and how soon an engine that
stopped is loaded a second time."""
_log = logging.getLogger("mlm.gateway")
T = TypeVar("T")


@frozen
class Admitted:
    """A model version that the registry admitted, with its engine."""

    ref: str
    engine: Engine


@frozen
class _Refusal:
    reason: str
    revision: int
    at: float


class Fleet:
    """Chooses the arm for each request, and follows what the registry says should be served."""

    def __init__(
        self,
        desired: Deployment,
        registry: Registry,
        load: Callable[[int], Admitted],
        rollout: Rollout | None = None,
        heartbeat_seconds: float = 0.5,
    ) -> None:
        self.roster = Roster()
        self.draining = False
        self._desired, self._registry, self._load, self._rollout = desired, registry, load, rollout
        self._heartbeat_seconds = heartbeat_seconds
        self._url = ""
        self._loaded: dict[int, LoadedArm] = {}
        self._loading: dict[int, asyncio.Task[None]] = {}
        self._refusals: dict[int, _Refusal] = {}
        self._stops: dict[int, float] = {}
        self._newest = desired.revision
        self._came = False
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: set[asyncio.Future[None]] = set()
        self._books = ThreadPoolExecutor(1, "mlm-registry")
        self._loader = ThreadPoolExecutor(1, "mlm-loader")

    # Requests

    async def choose(self, model: str, key: str) -> LoadedArm:
        """Return the arm that answers: by the deployment's name through the rollout, or the version that is named."""
        if self.draining:
            raise unavailable("the server is shutting down; ask another one", "draining")
        roster = self.roster
        if model != self._desired.name:
            return roster.named(model) or await self._missing(model)
        if not roster.arms:
            why = f" ({roster.error})" if roster.error else ""
            raise unavailable(f"'{model}' has no model to serve now{why}", "no_model")
        route = self._rollout.route if self._rollout else by_share
        return roster.loaded[route(key, roster.arms).node]

    async def _missing(self, model: str) -> LoadedArm:
        """Say why a model is not served: unknown, recalled or retired."""
        bar = await self._ask(lambda: self._bar_of(model)) if "@" in model else ""
        if bar == "model_recalled":
            raise ApiError(403, f"'{model}' was recalled and is not served any more", bar, param="model")
        if bar == "model_retired":
            raise ApiError(410, f"'{model}' was retired; ask for '{self._desired.name}'", bar, param="model")
        known = ", ".join([self._desired.name, *self.roster.shares])
        raise ApiError(404, f"'{model}' is not served here (served: {known})", "model_not_found", param="model")

    def _bar_of(self, ref: str) -> str:
        from mlm_registry import NotFound

        try:
            return self._bar(self._registry.models.version(ref).node.id)
        except NotFound:
            return ""

    def _bar(self, node: int) -> str:
        """Say why a version may serve no more, or nothing. What came from recalled data is recalled with it."""
        registry = self._registry
        if registry.recalls.recalled([node, *registry.graph.upstream(node)]):
            return "model_recalled"
        return "model_retired" if registry.models.version(node).state == "retired" else ""

    # Life

    async def start(self) -> None:
        """Load the arms, then follow the registry."""
        await self._update()
        while self._loading:
            await asyncio.gather(*self._loading.values())
            await self._update()
        self._tasks = [asyncio.create_task(self._follow())]

    async def announce(self, url: str) -> None:
        """Tell the registry where requests are answered, now and at every heartbeat."""
        self._url = url
        await self._observe(os.getpid())
        self._tasks.append(asyncio.create_task(self._beat()))

    async def stop(self) -> None:
        """Leave the registry's view and unload every engine; running requests have ended."""
        self.draining = True
        running = [*self._tasks, *self._loading.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._url:
            await self._observe(pid=0)
        self.roster = Roster()
        self._unload(set(self._loaded))
        await asyncio.gather(*self._closing)
        self._books.shutdown()
        self._loader.shutdown()

    async def _follow(self) -> None:
        seen = 0
        while True:
            try:
                version = await self._ask(self._registry.data_version)
                if version != seen or self._came or self._retry_is_due():
                    await self._update()
                    seen = version
            except Exception as error:
                _log.error("the registry could not be followed, serving what is loaded: %s", error)
            await asyncio.sleep(POLL_SECONDS)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            await self._observe(os.getpid())

    async def _observe(self, pid: int) -> None:
        roster = self.roster
        seen = Observation(self._desired.name, roster.revision, self._url, pid, roster.arms, roster.error)
        try:
            await self._ask(lambda: self._registry.deployments.observe(seen))
        except Exception as error:
            _log.error("the heartbeat could not be written: %s", error)

    async def _ask(self, question: Callable[[], T]) -> T:
        """Run a question to the registry in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._books, question)

    # Following

    async def _update(self) -> None:
        """Serve what the registry wants, as far as it is admitted and loaded."""
        desired, barred = await self._ask(self._read)
        self._came, self._newest = False, desired.revision
        wanted = {arm.node for arm in desired.arms} - barred.keys()
        self._refusals = {n: r for n, r in self._refusals.items() if n in wanted and not self._due(r, desired.revision)}
        missing = wanted - self._loaded.keys() - self._refusals.keys()
        for node in missing - self._loading.keys():
            self._loading[node] = asyncio.create_task(self._bring(node, desired.revision))
        if missing or (desired.arms and not wanted & self._loaded.keys()):
            # The old arms go on until there are new ones, but for those that may serve no more.
            desired = self._served_now(barred)
        self._publish(desired, barred, keep=wanted)

    def _served_now(self, barred: Mapping[int, str]) -> Deployment:
        arms = tuple(arm for arm in self.roster.arms if arm.node not in barred)
        return Deployment(self._desired.name, arms, "", "", revision=self.roster.revision)

    def _read(self) -> tuple[Deployment, dict[int, str]]:
        desired = self._registry.deployments.current(self._desired.name) or self._desired
        nodes = {arm.node for arm in (*desired.arms, *self.roster.arms)}
        bars = {node: self._bar(node) for node in nodes}
        return desired, {node: bar for node, bar in bars.items() if bar}

    def _publish(self, desired: Deployment, barred: Mapping[int, str], keep: set[int]) -> None:
        here = self._loaded.keys() - barred.keys()
        served = {arm.node: self._loaded[arm.node] for arm in desired.arms if arm.node in here}
        codes = {node: refusal.reason for node, refusal in self._refusals.items()} | dict(barred)
        refused = {self._registry.node(node).ref: code for node, code in codes.items()}
        self.roster = Roster(desired.revision, rescaled(desired.arms, served), served, refused)
        self._unload(self._loaded.keys() - served.keys() - keep)

    async def _bring(self, node: int, revision: int) -> None:
        """Load one arm; what went wrong is said in the observation."""
        try:
            admitted = await asyncio.get_running_loop().run_in_executor(self._loader, self._load, node)
            self._loaded[node] = LoadedArm(node, admitted.ref, admitted.engine, self._idle)
        except Refused as error:
            _log.error("node %s is not admitted: %s", node, error)
            self._refusals[node] = _Refusal(error.code, revision, time.monotonic())
        except Exception as error:
            _log.exception("node %s could not be loaded", node)
            self._refusals[node] = _Refusal(f"load_failed: {error}", revision, time.monotonic())
        del self._loading[node]
        self._came = True

    def _retry_is_due(self) -> bool:
        return any(self._due(refusal, refusal.revision) for refusal in self._refusals.values())

    def _due(self, refusal: _Refusal, revision: int) -> bool:
        return refusal.revision != revision or time.monotonic() - refusal.at > RETRY_SECONDS

    # Unloading

    def let_go(self, arm: LoadedArm) -> None:
        """Serve no more from an arm whose engine stopped, and load it again: at once, then once in RETRY_SECONDS."""
        if self._loaded.get(arm.node) is not arm:
            return
        _log.error("the engine of %s stopped", arm.ref)
        now = time.monotonic()
        again = now - self._stops.get(arm.node, -inf) <= RETRY_SECONDS
        self._stops[arm.node] = now
        self._refusals[arm.node] = _Refusal("engine_stopped", self._newest, now if again else -inf)
        # It is closed when the last request on it has ended.
        del self._loaded[arm.node]
        self._publish(self._served_now({}), {}, keep=set(self._loaded))

    def _unload(self, nodes: set[int]) -> None:
        for arm in [self._loaded.pop(node) for node in nodes]:
            if not arm.running:
                self._close(arm)

    def _idle(self, arm: LoadedArm) -> None:
        if self._loaded.get(arm.node) is not arm:
            self._close(arm)

    def _close(self, arm: LoadedArm) -> None:
        future = asyncio.get_running_loop().run_in_executor(self._loader, arm.engine.close)
        self._closing.add(future)
        future.add_done_callback(self._closing.discard)
