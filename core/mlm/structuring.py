"""From a TOML value to the type that a setting declares."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mlm.errors import ProjectError, near_miss
from mlm.remembering import remembered
from mlm.settings import Secret, role

if TYPE_CHECKING:
    from cattrs import Converter


def structure(value: Any, hint: Any, where: str, folder: Path) -> Any:
    """Turn a TOML value into the type that a setting declares, never guessing: "5" is no number."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if _is_record(hint):
        return built(hint, structured(hint, _table(value, where), where, folder), where)
    if origin is dict and _is_record(args[1]):
        items = _table(value, where).items()
        return {key: structure(one, args[1], f"{where}.{key}", folder) for key, one in items}
    if origin is list and _is_record(args[0]) and isinstance(value, list):
        return [structure(one, args[0], f"{where}[{place}]", folder) for place, one in enumerate(value)]
    read = _one_of if origin is typing.Literal else _READERS.get(hint, _converted)
    try:
        return read(value, hint, folder)
    except (TypeError, ValueError, KeyError) as error:
        raise ProjectError(f"expected {_plain(hint)}, got {value!r} ({_said(error)})", where) from error


def structured(cls: type[Any], table: Mapping[str, Any], where: str, folder: Path) -> dict[str, Any]:
    """Turn a table of settings into what their class takes; ProjectError names the one that it does not know."""
    fields = {a.name: a for a in attrs.fields(cls) if a.init and role(a) == "setting"}
    for key in table:
        if key not in fields:
            known = ", ".join(sorted(fields)) or "none"
            raise ProjectError(f"unknown setting '{key}' (known: {known}){near_miss(key, fields)}", f"{where}.{key}")
    for name, attribute in fields.items():
        if attribute.default is attrs.NOTHING and name not in table:
            raise ProjectError(f"setting `{name}` is required", where)
    hints = hints_of(cls)
    return {key: structure(value, hints[key], f"{where}.{key}", folder) for key, value in table.items()}


def built(cls: type[Any], values: Mapping[str, Any], where: str) -> Any:
    """Make an object of the class; ProjectError says what a validator refuses."""
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise ProjectError(_said(error), where) from error


@remembered
def hints_of(cls: type[Any]) -> dict[str, Any]:
    """Return the type of each field of a class."""
    return typing.get_type_hints(cls)


def _is_record(hint: Any) -> bool:
    return hint not in _READERS and inspect.isclass(hint) and attrs.has(hint)


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ProjectError(f"expected a table, got {value!r}", where)
    return value


def _said(error: Exception) -> str:
    """Return what a validator says in one line; those of attrs tell their own insides after it."""
    text = str(error.args[0] if error.args else error).splitlines()[0]
    options, value = error.args[2:4] if len(error.args) == 4 else ((), None)
    known = [str(one) for one in options] if isinstance(options, Collection) and not isinstance(options, str) else []
    return text + (near_miss(value, known) if isinstance(value, str) else "")


def _converted(value: Any, hint: Any, folder: Path) -> Any:
    """Read lists, tables and unions; most settings are none, and do without the import of a converter."""
    from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError, StructureHandlerNotFoundError

    _no_text_as_list(value, hint)
    try:
        return _converter(folder).structure(value, hint)
    except (BaseValidationError, ForbiddenExtraKeysError, StructureHandlerNotFoundError) as error:
        raise ValueError(str(error)) from error


@lru_cache(maxsize=8)
def _converter(folder: Path) -> Converter:
    """Make a converter whose paths are relative to a folder; making one takes longer than using it."""
    from cattrs import Converter

    converter = Converter(detailed_validation=False, forbid_extra_keys=True)
    for kind, read in _READERS.items():
        converter.register_structure_hook(kind, _within(folder, read))
    return converter


def _within(folder: Path, read: Callable[[Any, Any, Path], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, hint: read(value, hint, folder)


def _exactly(value: Any, kind: Any, folder: Path) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _one_of(value: Any, hint: Any, folder: Path) -> Any:
    known = typing.get_args(hint)
    if value not in known:
        raise ValueError(near_miss(str(value), known).removeprefix("; ") or "none of these")
    return value


def _number(value: Any, kind: Any, folder: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _path(value: Any, kind: Any, folder: Path) -> Path:
    return folder / str(_exactly(value, str, folder))


def _secret(value: Any, kind: Any, folder: Path) -> Secret:
    if not isinstance(value, dict) or set(value) != {"env"}:
        raise TypeError('a secret is written { env = "NAME" }')
    return Secret(str(value["env"]))


_READERS: dict[Any, Callable[[Any, Any, Path], Any]] = {
    bool: _exactly,
    int: _exactly,
    str: _exactly,
    float: _number,
    Path: _path,
    Secret: _secret,
}


def _no_text_as_list(value: Any, hint: Any) -> None:
    if isinstance(value, str) and typing.get_origin(hint) in (list, tuple, dict):
        raise TypeError("a single value")


def _plain(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        *words, last = typing.get_args(hint)
        return f"{', '.join(words)} or {last}"
    return hint.__name__ if inspect.isclass(hint) and not typing.get_args(hint) else str(hint).replace("typing.", "")
