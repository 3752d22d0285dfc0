"""From a table of `mlm.toml` to a configured plugin object."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
from attrs import field, frozen

from mlm.artifacts import Dataset, Model, Report
from mlm.discovery import PluginRef
from mlm.errors import PluginError, ProjectError
from mlm.mistakes import Mistakes
from mlm.paths import files_at, is_pattern
from mlm.plugins import Catalogue, a_plugin_of
from mlm.remembering import remembered
from mlm.settings import described, role
from mlm.structuring import built, hints_of, structured

ArtifactKind = Literal["dataset", "model", "report"]
_ARTIFACTS: dict[Any, ArtifactKind] = {Dataset: "dataset", Model: "model", Report: "report"}
_HOOK_TYPES = {"Dataset": Dataset, "Model": Model, "Report": Report, "Context": Any, "Batch": Any}
"""The names that annotations of step hooks use."""


@frozen
class Port:
    """An artifact input of a step: a parameter of its hook, or a field of its plugin."""

    name: str
    kind: ArtifactKind
    required: bool
    many: bool
    is_field: bool
    judging: bool = False
    """Whether it is filled, where the project file is silent, with what judges a model of the step."""


@frozen
class Binding:
    """A plugin with its settings, before its inputs are there."""

    ref: PluginRef
    cls: type[Any]
    settings: Mapping[str, Any]
    where: str
    ports: tuple[Port, ...] = ()
    names: Mapping[str, Any] = field(factory=dict)
    """What the project file gave for each port: a name, or a list of names."""

    def build(self, inputs: Mapping[str, Any] | None = None) -> Any:
        """Make the plugin object; inputs that are not there yet are None."""
        given = dict.fromkeys(port.name for port in self.ports if port.is_field) | dict(inputs or {})
        return built(self.cls, {**self.settings, **given}, self.where)


def bind(
    catalogue: Catalogue,
    kind: str,
    spec: str | Mapping[str, Any],
    where: str,
    folder: Path,
    hook: str | None = None,
    own: Collection[str] = (),
) -> Binding:
    """Check a table against the plugin that it names, and return the binding.

    Args:
        spec: `"name"`, or a table with `use` and the plugin's settings.
        where: File and table, for messages.
        folder: The project's folder; relative paths are resolved against it.
        hook: The step hook whose artifact parameters are inputs too.
        own: Keys of the table that are not the plugin's, and were taken out of it: one may be misspelt.
    """
    table = {"use": spec} if isinstance(spec, str) else dict(spec)
    use = table.pop("use", None)
    if not isinstance(use, str):
        raise ProjectError(f"`use` must name {a_plugin_of(kind)}, got {use!r}", f"{where}.use")
    try:
        ref = catalogue.find(kind, use)
        cls = catalogue.load(ref)
    except PluginError as error:
        raise ProjectError(str(error), f"{where}.use") from error
    ports = _ports(cls, hook)
    names = {port.name: table.pop(port.name) for port in ports if port.name in table}
    mistakes = Mistakes()
    for port in ports:
        if port.required and port.name not in names:
            mistakes.add(f"'{use}' needs `{port.name}`, the name of a step that makes a {port.kind}", where)
    own = (*own, *(port.name for port in ports))
    settings = mistakes.of(structured, cls, table, where, folder, own)
    mistakes.tell()
    binding = Binding(ref, cls, settings or {}, where, ports, names)
    binding.build()
    return binding


def check_files(binding: Binding) -> None:
    """Look for the files that settings name before anything runs: training first and failing then is dear."""
    helps = {a.name: described(a)["help"] for a in attrs.fields(binding.cls)}
    mistakes = Mistakes()
    for key, value in binding.settings.items():
        mistakes.of(_files_exist, value, f"{binding.where}.{key}", helps.get(key, ""))
    mistakes.tell()


def _files_exist(value: Any, where: str, wanted: str) -> None:
    if isinstance(value, Path) and not value.exists() and not (is_pattern(value) and files_at(value)):
        raise ProjectError(f"there is no file {value}" + (f", expected: {wanted}" if wanted else ""), where)
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        _files_exist(part, where, wanted)


@remembered
def _ports(cls: type[Any], hook: str | None) -> tuple[Port, ...]:
    ports = [p for name, hint in _parameters(cls, hook) if (p := _port(name, hint, is_field=False))]
    hints = hints_of(cls)
    for attribute in attrs.fields(cls):
        if role(attribute) == "input":
            port = _port(attribute.name, hints[attribute.name], is_field=True)
            if port is None:
                raise PluginError(f"{cls.__name__}.{attribute.name} is an input and must be a Dataset, Model or Report")
            judging = bool(described(attribute).get("judging"))
            required = attribute.default is attrs.NOTHING and not judging
            ports.append(attrs.evolve(port, required=required, judging=judging))
    return tuple(ports)


def ports_of(cls: type[Any], hook: str | None = None) -> tuple[Port, ...]:
    """Return the artifact inputs among a plugin's fields, and among the parameters of its step hook."""
    return _ports(cls, hook)


def _parameters(cls: type[Any], hook: str | None) -> list[tuple[str, Any]]:
    """Artifact parameters by the hook's specification, as far as the plugin's method takes them."""
    if hook is None:
        return []
    from mlm import hookspecs

    names = typing.get_type_hints(getattr(hookspecs, hook), _HOOK_TYPES)
    own = inspect.signature(getattr(cls, hook)).parameters
    own_hints = typing.get_type_hints(getattr(cls, hook))
    return [(name, own_hints.get(name, hint)) for name, hint in names.items() if name in own]


def _port(name: str, hint: Any, *, is_field: bool) -> Port | None:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _ARTIFACTS:
        return Port(name, _ARTIFACTS[hint], True, False, is_field)
    if origin in (types.UnionType, typing.Union):
        inner = [arg for arg in args if arg is not type(None)]
        port = _port(name, inner[0], is_field=is_field) if len(inner) == 1 else None
        return attrs.evolve(port, required=False) if port else None
    if origin in (list, tuple) and args and args[0] in _ARTIFACTS:
        return Port(name, _ARTIFACTS[args[0]], True, True, is_field)
    return None
