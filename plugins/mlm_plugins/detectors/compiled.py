"""Functions compiled with Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile on the first call; keep the result beside the module or, where that is read-only, in the user's cache.

    Where neither can be written to, it is compiled again in each process. A division by zero gives infinity or NaN, as
    in NumPy.
    """
    try:
        made: F = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        made = njit(nogil=True, error_model="numpy")(function)
    return made
