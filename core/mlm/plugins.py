"""Discovery of plugins from distribution metadata; nothing is imported until a project names it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import distributions
from typing import Any

import attrs
from attrs import field, frozen

from mlm.errors import PluginError, near_miss

KINDS: dict[str, tuple[str, ...]] = {
    "starters": ("mlm_start",),
    "reviews": ("mlm_review",),
    "sources": ("mlm_read",),
    "transforms": ("mlm_map", "mlm_transform"),
    "models": ("mlm_import",),
    "trainers": ("mlm_train",),
    "evaluators": ("mlm_evaluate",),
    "exporters": ("mlm_export",),
    "checks": ("mlm_check",),
    "servers": ("mlm_load",),
    "guards": ("mlm_guard",),
    "postprocessors": ("mlm_postprocess",),
    "rollouts": ("mlm_rollout",),
    "targets": ("mlm_apply",),
    "monitors": ("mlm_measure",),
    "improvers": ("mlm_improve",),
    "triggers": ("mlm_assess",),
    "policies": (),
    "executors": ("mlm_execute",),
    "commands": ("mlm_command",),
}
"""Kind of plugin -> the hooks of which it must implement one. A policy may observe, or wrap any step hook."""


@frozen
class PluginRef:
    """A plugin as its distribution's metadata names it."""

    kind: str
    name: str
    distribution: str
    version: str
    target: str

    @property
    def identity(self) -> str:
        return f"{self.distribution}:{self.kind}/{self.name}"


@frozen
class Catalogue:
    """All installed plugins, by kind and name."""

    refs: tuple[PluginRef, ...]
    _loaded: dict[PluginRef, type] = field(factory=dict, init=False, eq=False)

    @classmethod
    def discover(cls) -> Catalogue:
        """Read the entry points of every installed distribution, importing none of them."""
        return cls(tuple(sorted(_entry_points(), key=lambda ref: (ref.kind, ref.name, ref.distribution))))

    def of_kind(self, kind: str) -> list[PluginRef]:
        return [ref for ref in self.refs if ref.kind == kind]

    def find(self, kind: str, use: str) -> PluginRef:
        """Return the plugin that `use` names: `dpo`, or `acme/dpo` where two distributions have one of that name."""
        distribution, _, name = use.rpartition("/")
        known = self.of_kind(kind)
        hits = [ref for ref in known if ref.name == name and distribution in ("", ref.distribution)]
        if not hits:
            names = sorted({ref.name for ref in known})
            installed = ", ".join(names) or "none"
            raise PluginError(f"no {kind[:-1]} is named '{use}' (installed: {installed}){near_miss(name, names)}")
        if len(hits) > 1:
            both = " and ".join(ref.distribution for ref in hits)
            raise PluginError(
                f"{kind[:-1]} '{name}' is in {both}: choose with `use = \"{hits[0].distribution}/{name}\"`"
            )
        return hits[0]

    def load(self, ref: PluginRef) -> type[Any]:
        """Import a plugin's class and check it against the contract; PluginError says what is wrong."""
        if ref not in self._loaded:
            self._loaded[ref] = _load(ref)
        return self._loaded[ref]


def _entry_points() -> Iterator[PluginRef]:
    groups = {f"mlm.{kind}": kind for kind in KINDS}
    seen = set()
    for distribution in distributions():
        points = [point for point in distribution.entry_points if point.group in groups]
        if not points:
            continue
        # Each reading of these two parses the distribution's whole metadata.
        name, version = distribution.metadata["Name"], distribution.version
        # An editable install beside a stale one is found twice; the first is what Python imports.
        if name not in seen:
            seen.add(name)
            yield from (PluginRef(groups[point.group], point.name, name, version, point.value) for point in points)


def _load(ref: PluginRef) -> type[Any]:
    module_name, _, attribute = ref.target.partition(":")
    try:
        cls = getattr(import_module(module_name), attribute)
    except Exception as error:
        raise PluginError(
            f"{ref.identity} {ref.version} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    _check_class(ref, cls)
    return cls  # type: ignore[no-any-return]


def _check_class(ref: PluginRef, cls: Any) -> None:
    if not inspect.isclass(cls) or not attrs.has(cls):
        raise PluginError(
            f"{ref.identity}: {ref.target} is no attrs class; decorate it with `@attrs.define(kw_only=True)`"
        )
    hooks = implemented(cls)
    misspelt = sorted(set(hooks) - set(known_hooks()))
    if misspelt:
        raise PluginError(f"{ref.identity}: there is no hook '{misspelt[0]}'{near_miss(misspelt[0], known_hooks())}")
    wanted = KINDS[ref.kind]
    if wanted and not set(wanted) & set(hooks):
        raise PluginError(f"{ref.identity} is a {ref.kind[:-1]} and implements none of: {', '.join(wanted)}")


def implemented(cls: type[Any]) -> list[str]:
    """Return names of the hooks that a class implements (methods marked with `@mlm.hookimpl`)."""
    return [name for name, method in inspect.getmembers(cls, callable) if hasattr(method, "mlm_impl")]


def implements(cls: type[Any], hook: str) -> bool:
    """Say whether a class implements a hook."""
    return hasattr(getattr(cls, hook, None), "mlm_impl")


def known_hooks() -> list[str]:
    """Return every hook's name, in the order of the lifecycle."""
    from mlm import hookspecs

    return [name for name, value in vars(hookspecs).items() if hasattr(value, "mlm_spec")]


def states(catalogue: Catalogue, refs: Iterable[PluginRef]) -> list[tuple[PluginRef, str]]:
    """Import each plugin and return it with an empty string, or with the reason why it is quarantined."""
    found = []
    for ref in refs:
        try:
            catalogue.load(ref)
            found.append((ref, ""))
        except PluginError as error:
            found.append((ref, str(error)))
    return found
