"""The installed plugins, and the contract that each keeps; nothing is imported until a project names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import attrs
from attrs import field, frozen

from mlm.deprecating import deprecations
from mlm.discovery import DENY, PluginRef, Rules, State, installed, parted, remedy
from mlm.errors import PluginError, near_miss
from mlm.installed import normal

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


def one_of(kind: str) -> str:
    """Return what a plugin of a kind is called: `policy` of `policies`."""
    return f"{kind[:-3]}y" if kind.endswith("ies") else kind[:-1]


def a_plugin_of(kind: str) -> str:
    """Return the same with its article."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {one_of(kind)}"


@frozen
class Catalogue:
    """All installed plugins, by kind and name."""

    refs: tuple[PluginRef, ...]
    rules: Rules = field(factory=Rules)
    report: Callable[[str], None] = field(default=lambda line: None, eq=False)
    """Hears a line for each use of what is deprecated, once a plugin."""
    _loaded: dict[PluginRef, type] = field(factory=dict, init=False, eq=False)

    @classmethod
    def discover(cls, rules: Rules | None = None, report: Callable[[str], None] = lambda line: None) -> Catalogue:
        """Read the entry points of every installed distribution, importing none of them."""
        return cls(tuple(installed(KINDS)), rules or Rules.of(), report)

    def of_kind(self, kind: str) -> list[PluginRef]:
        return [ref for ref in self.refs if ref.kind == kind]

    def find(self, kind: str, use: str) -> PluginRef:
        """Return the plugin that `use` names: `dpo`, or `acme/dpo` where two distributions have one of that name.

        Raises:
            PluginError: There is none, there are several, it is denied, or what it needs is not installed.
        """
        distribution, named_kind, name = parted(use, KINDS)
        known = self.of_kind(kind) if named_kind in ("", kind) else []
        hits = [r for r in known if r.name == name and normal(distribution) in ("", normal(r.distribution))]
        if not hits:
            names = sorted({ref.name for ref in known})
            listed = ", ".join(names) or "none"
            raise PluginError(f"no {one_of(kind)} is named '{use}' (installed: {listed}){near_miss(name, names)}")
        allowed = [ref for ref in hits if not self.rules.refusal(ref)]
        if not allowed:
            raise PluginError(f"{hits[0].identity} may not be used: {self.rules.refusal(hits[0])}")
        if len(allowed) > 1:
            both = " and ".join(ref.distribution for ref in allowed)
            raise PluginError(
                f"{one_of(kind)} '{name}' is in {both}: choose with `use = \"{allowed[0].distribution}/{name}\"`"
            )
        if missing := ", ".join(allowed[0].missing):
            what = f"{allowed[0].identity} needs {missing}"
            raise PluginError(f"{what}, not installed: {remedy(allowed[0])}")
        return allowed[0]

    def state(self, ref: PluginRef) -> tuple[State, str]:
        """Say whether a plugin can be used, and what to do where it cannot; it is not imported."""
        if refusal := self.rules.refusal(ref):
            return "denied", refusal
        if ref.missing:
            return "lacks", f"{', '.join(ref.missing)}: {remedy(ref)}"
        rivals = [r for r in self.refs if (r.kind, r.name) == (ref.kind, ref.name) and not self.rules.refusal(r)]
        if len(rivals) > 1:
            return "conflict", settled(ref, rivals)
        return "ready", ""

    def load(self, ref: PluginRef) -> type[Any]:
        """Import a plugin's class and check it against the contract; PluginError says what is wrong."""
        if refusal := self.rules.refusal(ref):
            raise PluginError(f"{ref.identity} may not be used: {refusal}")
        if ref not in self._loaded:
            self._loaded[ref] = _load(ref)
            for line in deprecations(ref, self._loaded[ref]):
                self.report(line)
        return self._loaded[ref]


def settled(ref: PluginRef, rivals: Sequence[PluginRef]) -> str:
    """Return the line that chooses a plugin among those of its name."""
    if ref.kind != "commands":
        return f'`use = "{ref.distribution}/{ref.name}"` chooses this one'
    # Nobody writes a command's distribution on the command line: the others have to go.
    others = ",".join(other.identity for other in rivals if other != ref)
    return f"`{DENY}={others}`, or `deny` in [plugins], leaves that of {ref.distribution}"


def _load(ref: PluginRef) -> type[Any]:
    module_name, _, attribute = ref.target.partition(":")
    try:
        cls = getattr(import_module(module_name), attribute)
    except Exception as error:
        from mlm.blaming import line_of_import, worked_on

        advice = "" if worked_on(ref.distribution) else f"; upgrade or remove {ref.distribution}"
        place = f"  [{line}]" if (line := line_of_import(error, __file__)) else ""
        raise PluginError(
            f"{ref.identity} {ref.version} cannot be imported: {type(error).__name__}: {error}{advice}{place}"
        ) from error
    check_class(ref, cls)
    return cls  # type: ignore[no-any-return]


def check_class(ref: PluginRef, cls: Any) -> None:
    """Raise PluginError unless a class keeps to the contract of its kind."""
    if not inspect.isclass(cls) or not attrs.has(cls):
        raise PluginError(
            f"{ref.identity}: {ref.target} is no attrs class; decorate it with `@attrs.define(kw_only=True)`"
        )
    from mlm.hookspecs import API_VERSION, OLDEST_API_VERSION

    if not OLDEST_API_VERSION <= api_of(cls) <= API_VERSION:
        what = "upgrade mlm" if api_of(cls) > API_VERSION else f"upgrade {ref.distribution}"
        known = f"{OLDEST_API_VERSION} to {API_VERSION}" if OLDEST_API_VERSION < API_VERSION else f"{API_VERSION}"
        raise PluginError(
            f"{ref.identity} {ref.version} was written for version {api_of(cls)} of the plugin interface, this mlm"
            f" has {known}: {what}"
        )
    hooks = implemented(cls)
    misspelt = sorted(set(hooks) - set(known_hooks()))
    if misspelt:
        raise PluginError(f"{ref.identity}: there is no hook '{misspelt[0]}'{near_miss(misspelt[0], known_hooks())}")
    wanted = KINDS[ref.kind]
    unmarked = [hook for hook in wanted if callable(getattr(cls, hook, None)) and hook not in hooks]
    if unmarked:
        raise PluginError(f"{ref.identity}: `{unmarked[0]}` is not marked; write `@mlm.hookimpl` above it")
    if wanted and not set(wanted) & set(hooks):
        raise PluginError(f"{ref.identity} is {a_plugin_of(ref.kind)} and implements none of: {', '.join(wanted)}")


def api_of(cls: type[Any]) -> int:
    """Return for which version of the plugin interface a class was written: its `API_VERSION`, or the first."""
    return int(getattr(cls, "API_VERSION", 1))


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
