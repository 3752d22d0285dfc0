"""Whom a row is about: a name, or a record or list that holds names, as logs of events have them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any


def as_name(values: Iterable[Any]) -> str:
    """Return as text what a row's columns say of its person: one name as it is, all else as JSON, nothing as ''."""
    told = [value for value in values if value is not None]
    if len(told) == 1 and not isinstance(told[0], dict | list):
        return str(told[0])
    return json.dumps(told, default=str) if told else ""


def names_in(value: Any) -> Iterator[str]:
    """Return every name that a value holds, however deep; text that is JSON is looked into too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif one is not None:
            yield str(one)
            if isinstance(one, str) and one.startswith(("{", "[")):
                with suppress(ValueError, RecursionError):
                    waiting.append(json.loads(one))
