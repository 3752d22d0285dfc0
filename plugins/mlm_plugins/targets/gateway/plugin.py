"""The `gateway` target: an OpenAI-compatible endpoint in this process."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from attrs import define
from attrs.validators import ge, gt, le

import mlm
from mlm_plugins.targets.gateway.fleet import Admitted, Fleet
from mlm_plugins.targets.gateway.recorder import Recorder
from mlm_plugins.targets.gateway.requests import Defaults
from mlm_plugins.targets.gateway.server import listen, run
from mlm_plugins.targets.gateway.service import Service

if TYPE_CHECKING:
    from mlm_registry import Observation, Registry

FRESH_SECONDS = 5.0
"""Age from which a heartbeat says nothing any more."""
MOMENT_SECONDS = 3.0
"""How long a reconciliation waits for a gateway that is loading the next revision."""


@define(kw_only=True)
class Gateway:
    """Serve the OpenAI API on this machine, on Starlette and uvicorn."""

    host: str = mlm.setting("127.0.0.1", help="address to listen on", fingerprint=False)
    port: int = mlm.setting(
        8080, validator=[ge(0), le(65535)], help="port to listen on; 0 takes a free one", fingerprint=False
    )
    max_body_bytes: int = mlm.setting(2**20, validator=gt(0), help="largest request body", unit="bytes")
    request_timeout_seconds: float = mlm.setting(
        120.0, validator=gt(0), help="longest time for one answer", unit="seconds"
    )
    guard_timeout_seconds: float = mlm.setting(
        2.0, validator=gt(0), help="a guard that takes longer blocks", unit="seconds"
    )
    heartbeat_seconds: float = mlm.setting(
        0.5, validator=[gt(0), le(2)], help="how often the registry hears of this process", unit="seconds"
    )
    retry_seconds: int = mlm.setting(1, validator=ge(1), help="Retry-After of a 429 answer", unit="seconds")
    max_tokens: int = mlm.setting(256, validator=gt(0), help="new tokens where a request does not say", unit="tokens")
    temperature: float = mlm.setting(
        0.0, validator=[ge(0), le(2)], help="temperature where a request does not say (OpenAI's own default is 1)"
    )
    refusal: str = mlm.setting("I cannot help with that.", help="answer to a prompt that a guard blocked")

    @mlm.hookimpl
    def mlm_apply(self, desired: mlm.Desired) -> mlm.Observed:
        """Say what the running gateway serves; it follows the registry by itself, and is given a moment to do so."""
        from mlm_registry import Registry

        with Registry.open(desired.registry) as registry:
            deadline = time.monotonic() + MOMENT_SECONDS
            seen = registry.deployments.observation(desired.deployment)
            while _is_following(seen, desired.revision) and time.monotonic() < deadline:
                time.sleep(0.05)
                seen = registry.deployments.observation(desired.deployment)
        if seen is None or not _is_running(seen):
            return mlm.Observed(0, detail=f"no gateway is running: mlm serve {desired.deployment}")
        served = seen.revision >= desired.revision
        detail = seen.error or ("" if served else f"serves revision {seen.revision}, {desired.revision} is on its way")
        return mlm.Observed(seen.revision, seen.url, served and not seen.error, detail)

    @mlm.hookimpl
    def mlm_serve(self, desired: mlm.Desired, context: mlm.Context) -> None:
        """Answer requests until SIGINT or SIGTERM; raises ProjectError while another process serves the deployment."""
        from mlm_registry import Registry

        with Registry.open(desired.registry) as registry:
            _refuse_a_second(registry.deployments.observation(desired.deployment))
            with listen(self.host, self.port) as listener:
                service = self.service(desired, context, registry)
                asyncio.run(run(service, listener, lambda url, stop: context.progress(1, 1, f"serving on {url}")))

    def service(self, desired: mlm.Desired, context: mlm.Context, registry: Registry) -> Service:
        """Put together what all requests share; nothing is loaded yet."""
        return Service(
            deployment=desired.deployment,
            fleet=self._fleet(desired, context, registry),
            registry=registry,
            recorder=Recorder(registry.exchanges.record),
            defaults=Defaults(desired.deployment, self.max_tokens, self.temperature),
            guards=desired.guards,
            postprocessors=desired.postprocessors,
            refusal=self.refusal,
            usd_per_second=context.problem.cost_per_cpu_hour_usd / 3600,
            max_body_bytes=self.max_body_bytes,
            request_timeout_seconds=self.request_timeout_seconds,
            guard_timeout_seconds=self.guard_timeout_seconds,
            retry_seconds=self.retry_seconds,
        )

    def _fleet(self, desired: mlm.Desired, context: mlm.Context, registry: Registry) -> Fleet:
        from mlm_registry import Deployment

        def load(node: int) -> Admitted:
            model = context.admit(node)
            admitted = Admitted(model.ref or registry.node(node).ref, context.load(model, fresh=True))
            if context.problem.task == "chat":
                _require_chat(admitted)
            return admitted

        first = Deployment(desired.deployment, desired.arms, "", "", revision=desired.revision)
        return Fleet(first, registry, load, desired.rollout, self.heartbeat_seconds)


def _require_chat(admitted: Admitted) -> None:
    """Raise Refused, and close the engine, where every chat request would fail: the model has no chat template."""
    try:
        admitted.engine.tokenizer.chat([{"role": "user", "content": "Hello"}])
    except mlm.DataError as error:
        admitted.engine.close()
        told = f"{admitted.ref} takes no chat requests, and the task in [problem] is 'chat': {error}"
        raise mlm.Refused(told, "chat_template_missing") from error


def _refuse_a_second(seen: Observation | None) -> None:
    # Each would overwrite the other's heartbeat, and visitors would meet one of the two.
    if seen is not None and seen.pid != os.getpid() and _is_running(seen):
        raise mlm.ProjectError(
            f"a gateway of '{seen.deployment}' already runs (pid {seen.pid}, {seen.url}): stop it first"
        )


def _is_following(seen: Observation | None, revision: int) -> bool:
    return seen is not None and _is_running(seen) and seen.revision < revision and not seen.error


def _is_running(seen: Observation) -> bool:
    return time.time() - seen.heartbeat <= FRESH_SECONDS and _is_alive(seen.pid)


def _is_alive(pid: int) -> bool:
    """Say whether a process of this machine runs."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
