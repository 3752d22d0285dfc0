"""From a TOML value to the type that a setting declares."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlm.errors import ProjectError, near_miss
from mlm.settings import Secret

if TYPE_CHECKING:
    from cattrs import Converter


def structure(value: Any, hint: Any, where: str, folder: Path) -> Any:
    """Turn a TOML value into the type that a setting declares, never guessing: "5" is no number."""
    read = _one_of if typing.get_origin(hint) is typing.Literal else _READERS.get(hint, _converted)
    try:
        return read(value, hint, folder)
    except (TypeError, ValueError, KeyError) as error:
        raise ProjectError(f"expected {_plain(hint)}, got {value!r} ({error})", where) from error


def _converted(value: Any, hint: Any, folder: Path) -> Any:
    """Read lists, tables and unions; most settings are none, and do without the import of a converter."""
    from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError

    _no_text_as_list(value, hint)
    try:
        return _converter(folder).structure(value, hint)
    except (BaseValidationError, StructureHandlerNotFoundError) as error:
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
