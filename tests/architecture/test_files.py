"""Modules stay small, and are named by what they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [file for package in ("core", "registry", "plugins") for file in sorted((ROOT / package).rglob("*.py"))]
LONGEST = 400
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager2"}


def test_there_are_modules() -> None:
    assert len(MODULES) > 100


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_is_short_and_has_a_docstring_and_a_name(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= LONGEST
    assert file.stem not in SAY_NOTHING
    assert not text.strip() or text.lstrip().startswith('"""')
