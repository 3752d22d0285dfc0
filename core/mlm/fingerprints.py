"""The fingerprint of a step: what must be equal for its result to be the same."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from mlm.bindings import Binding
from mlm.code import code_digest
from mlm.paths import files_at, is_pattern
from mlm.remembering import remembered
from mlm.settings import Secret, described, role
from mlm.steps import Step
from mlm_registry import Node, Registry


def work_name(fingerprint: str) -> str:
    """Return the name of the folder in which a step of that fingerprint works, and is found again."""
    return fingerprint[:24]


def fingerprint(
    step: Step, inputs: list[tuple[str, Node, str | None]], tokens: list[str | None], seed: int, registry: Registry
) -> str:
    """Return the key under which a step's result is kept.

    Args:
        inputs: (role, node, split) for each input, in order.
        tokens: The version tokens of the step's source.
        registry: Hashes the content of `Path` settings, remembering unchanged files.
    """
    key = {
        "step": step.name,
        "plugin": _plugin_key(step.binding, registry),
        "chain": [_plugin_key(binding, registry) for _, binding, _ in step.chain],
        "inputs": [(role_name, node.digest, split) for role_name, node, split in inputs],
        "tokens": tokens,
        "added": step.added,
        "seed": seed,
        "backend": _backend(inputs) if step.stage == "evaluation" else None,
        "machine": machine() if getattr(step.binding.cls, "machine_bound", False) else None,
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()


def _plugin_key(binding: Binding, registry: Registry) -> dict[str, Any]:
    return {
        "identity": f"{binding.ref.distribution}:{binding.ref.kind}/{binding.ref.name}",
        "code": code_digest(binding.cls),
        "settings": _keyed_settings(binding, registry),
    }


def _keyed_settings(binding: Binding, registry: Registry) -> dict[str, Any]:
    plugin = binding.build()
    return {name: _keyed(getattr(plugin, name), registry) for name in _keyed_names(binding.cls)}


@remembered
def _keyed_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(a.name for a in attrs.fields(cls) if role(a) == "setting" and described(a)["fingerprint"])


def _keyed(value: Any, registry: Registry) -> Any:
    if isinstance(value, Path):
        if is_pattern(value):
            return [(name, registry.objects.digest(file)) for name, file in files_at(value)]
        return registry.objects.digest(value)
    if isinstance(value, Secret):
        return None
    if isinstance(value, Mapping):
        return {str(k): _keyed(v, registry) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_keyed(v, registry) for v in value]
    return attrs.asdict(value) if attrs.has(type(value)) else value


def paths_read(plugin: Any) -> list[Path]:
    """List the paths in a plugin's settings whose content is part of its step's fingerprint."""
    return [path for name in _keyed_names(type(plugin)) for path in _paths(getattr(plugin, name))]


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _paths(item)


def _backend(inputs: list[tuple[str, Node, str | None]]) -> list[str]:
    libraries = {str(node.metadata.get("library", "")) for _, node, _ in inputs if node.kind == "model"}
    return sorted(f"{library} {installed_version(library)}" for library in libraries if library)


def installed_version(distribution: str) -> str:
    """Return the version of an installed distribution, or nothing."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


@cache
def machine() -> str:
    """Return what a timing depends on: processor, cores, system."""
    import os
    import platform

    return f"{platform.machine()} {platform.processor()} {os.cpu_count()} {platform.system()}"


def environment() -> dict[str, str]:
    """Return what is recorded with an execution and is not part of its key."""
    import platform

    return {"python": sys.version.split()[0], "platform": platform.platform(), "machine": machine()}
