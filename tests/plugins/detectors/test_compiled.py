"""Compiled functions work wherever their results can be kept, or cannot."""

from __future__ import annotations

from typing import Any

from mlm_plugins.detectors.compiled import compiled


def test_a_function_is_compiled_where_no_folder_for_its_cache_can_be_written_to() -> None:
    # Numba has no place for the cache of code without a file, as in a read-only home.
    names: dict[str, Any] = {}
    exec(compile("def double(number):\n    return 2 * number\n", "<nowhere>", "exec"), names)

    double = compiled(names["double"])

    assert double(21) == 42
    assert double.signatures
