"""A plugin's settings and inputs as plain data, read from its class."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import attrs

from mlm.settings import described, role


def settings_schema(cls: type[Any]) -> list[dict[str, Any]]:
    """Return name, role, type, default, unit and help of each field of a plugin class."""
    hints = typing.get_type_hints(cls)
    return [
        {
            "name": a.name,
            "role": role(a),
            "type": _plain_type(hints[a.name]),
            "default": _default(a),
            "unit": described(a)["unit"],
            "help": described(a)["help"],
        }
        for a in attrs.fields(cls)
        if a.init
    ]


def _plain_type(hint: Any) -> str:
    if inspect.isclass(hint) and not typing.get_args(hint):
        return hint.__name__
    return str(hint).replace("typing.", "").replace("pathlib.", "").replace("mlm.artifacts.", "")


def _default(attribute: attrs.Attribute[Any]) -> str:
    if described(attribute).get("judging"):
        return "what judges"
    if attribute.default is attrs.NOTHING:
        return "required"
    default: Any = attribute.default
    value = default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]
    return "" if value is None else repr(value) if isinstance(value, str) and not value.isprintable() else str(value)
