"""`mlm.toml` as JSON Schema (draft 7): an editor completes and checks it, with the plugins that are installed."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from mlm.bindings import Port, ports_of
from mlm.deploying import OWN_KEYS
from mlm.discovery import PluginRef
from mlm.plugins import Catalogue
from mlm.problem import Problem
from mlm.project import INTENT, STEP_STAGES, Access, Governance, Place, Plugins
from mlm.requirements import Requirement
from mlm.settings import Secret, described, role
from mlm.steps import HOOK_OF_STAGE, KIND_OF_STAGE

KIND_OF_INTENT = {
    "deployment": "targets", "monitoring": "monitors", "improvement": "improvers", "retirement": "triggers",
}  # fmt: skip
"""Table of intent -> the kind of plugin that its `use` names."""
_PLAIN: Mapping[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Path: {"type": "string"},
    Secret: {
        "type": "object",
        "properties": {"env": {"type": "string"}},
        "required": ["env"],
        "additionalProperties": False,
    },
}
_BY_NAME = (
    "transforms", "guards", "postprocessors", "rollouts", "servers", "reviews", "checks", "policies", "executors",
)  # fmt: skip
"""Kinds that may be given by name alone."""
_ISOLATE = {
    "description": "Run the step in a process of its own.",
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "object",
            "properties": {"memory_mb": {"type": "integer", "minimum": 1}},
            "required": ["memory_mb"],
            "additionalProperties": False,
        },
    ],
}


def project_schema(catalogue: Catalogue) -> dict[str, Any]:
    """Return the schema of a project file; plugins that cannot be used are left out."""
    tables: dict[str, Any] = {
        "seed": {"type": "integer", "minimum": 0, "description": "Seed of the whole project."},
        "threads": {"type": "integer", "minimum": 1, "description": "Threads that computation may use."},
        "problem": _record(Problem),
        "requirements": _each(
            _record(Requirement, without=("name",)) | {"oneOf": [{"required": ["min"]}, {"required": ["max"]}]}
        ),
        "governance": _record(Governance) | {"properties": _governance()},
        "registry": _record(Place),
        "access": _record(Access),
        "plugins": _record(Plugins),
    }
    for stage in STEP_STAGES:
        tables[stage] = _each(_any_of(KIND_OF_STAGE[stage], stage))
    for section in INTENT:
        tables[section] = _each(_any_of(KIND_OF_INTENT[section], section))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "mlm.toml",
        "type": "object",
        "properties": tables,
        "required": ["problem"],
        "additionalProperties": False,
        "definitions": _definitions(catalogue),
    }


def _definitions(catalogue: Catalogue) -> dict[str, Any]:
    """Describe each kind as often as it stands in a table of another form."""
    made = {}
    for place, kind in [*KIND_OF_STAGE.items(), *KIND_OF_INTENT.items()]:
        made[f"{kind}-{place}"] = {"anyOf": _variants(catalogue, kind, place)}
    for kind in (
        "transforms",
        "guards",
        "postprocessors",
        "rollouts",
        "servers",
        "reviews",
        "checks",
        "policies",
        "executors",
    ):
        made[kind] = {"anyOf": _named(_variants(catalogue, kind, ""))}
    return made


def _named(variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let a plugin without required settings be given by its name alone."""
    names = [name for one in variants if one["required"] == ["use"] for name in one["properties"]["use"]["enum"]]
    return [{"enum": names}, *variants] if names else variants


def _variants(catalogue: Catalogue, kind: str, place: str) -> list[dict[str, Any]]:
    found = (_usable(catalogue, ref, place) for ref in catalogue.of_kind(kind))
    return [one for one in found if one is not None]


def _usable(catalogue: Catalogue, ref: PluginRef, place: str) -> dict[str, Any] | None:
    """Describe a plugin; None where it cannot be used, which `mlm plugins doctor` explains."""
    if catalogue.state(ref)[0] not in ("ready", "conflict"):
        return None
    try:
        return _variant(ref, catalogue.load(ref), place)
    except (Exception, SystemExit):
        return None


def _variant(ref: PluginRef, cls: type[Any], place: str) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    properties: dict[str, Any] = {"use": {"enum": [ref.name, f"{ref.distribution}/{ref.name}"]}}
    required = ["use"]
    for attribute in attrs.fields(cls):
        if not attribute.init or role(attribute) != "setting":
            continue
        told = described(attribute)
        text = f"{told['help']} ({told['unit']})" if told["unit"] else told["help"]
        properties[attribute.name] = schema_of(hints[attribute.name]) | {"description": text}
        if attribute.default is attrs.NOTHING:
            required.append(attribute.name)
    for port in ports_of(cls, HOOK_OF_STAGE.get(place)):
        properties[port.name] = _source(port)
        required += [port.name] if port.required else []
    properties |= _beside(place)
    if place == "deployment":
        required.append("model")
    return {
        "title": f"{ref.kind}/{ref.name}",
        "description": inspect.getdoc(cls) or "",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _source(port: Port) -> dict[str, Any]:
    step = {"type": "string", "description": f"name of a step that makes a {port.kind}"}
    return {"anyOf": [step, {"type": "array", "items": step, "minItems": 1}]}


def _beside(place: str) -> dict[str, Any]:
    """Return the keys of a table that are not its plugin's."""
    if place == "data":
        return {"isolate": _ISOLATE, "steps": {"type": "array", "items": _ref("transforms")}}
    if place in KIND_OF_STAGE:
        return {"isolate": _ISOLATE}
    if place == "deployment":
        forms: dict[str, Any] = {
            "model": {"type": "string", "description": "name of the step whose model is served"},
            "alias": {"type": "string", "description": "alias that it follows"},
            "server": _ref("servers"),
            "rollout": _ref("rollouts"),
            "guards": {"type": "array", "items": _ref("guards")},
            "postprocessors": {"type": "array", "items": _ref("postprocessors")},
        }
        return {key: forms[key] for key in OWN_KEYS}
    return {"deployment": {"type": "string"}} if place in ("monitoring", "improvement") else {}


def _governance() -> dict[str, Any]:
    listed = {kind: {"type": "array", "items": _ref(kind)} for kind in ("reviews", "checks", "policies")}
    return {**listed, "executor": _ref("executors"), "signers": {"type": "array", "items": {"type": "string"}}}


def _each(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


def _any_of(kind: str, place: str) -> dict[str, Any]:
    return _ref(f"{kind}-{place}")


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/definitions/{name}"}


def _record(cls: type[Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    fields = [a for a in attrs.fields(cls) if a.name not in without]
    return {
        "type": "object",
        "description": (inspect.getdoc(cls) or "").partition("\n")[0],
        "properties": {a.name: schema_of(hints[a.name]) for a in fields},
        "required": [a.name for a in fields if a.default is attrs.NOTHING],
        "additionalProperties": False,
    }


def schema_of(hint: Any) -> dict[str, Any]:
    """Return the schema of a setting's type."""
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [schema_of(arg) for arg in args if arg is not type(None)]}
    if origin is tuple and len(args) > 1 and args[1] is not Ellipsis:
        return {
            "type": "array",
            "items": [schema_of(arg) for arg in args],
            "minItems": len(args),
            "maxItems": len(args),
        }
    if origin in (list, tuple) and args:
        return {"type": "array", "items": schema_of(args[0])}
    if origin in (dict, Mapping, typing.get_origin(Mapping[str, Any])) and len(args) == 2:
        return {"type": "object", "additionalProperties": schema_of(args[1])}
    if inspect.isclass(hint) and attrs.has(hint):
        return _record(hint)
    return {}
