"""functools.cache with the signature of what it remembers: the standard one loses it, and takes no classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Call the function once for each set of arguments."""
    return cast("Callable[P, R]", cache(function))
