"""A page as a tree: every page is well-formed XML after its doctype."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest


@pytest.fixture
def parse() -> Callable[[str], ET.Element]:
    def parsed(page: str) -> ET.Element:
        doctype, _, rest = page.partition("\n")
        assert doctype == "<!DOCTYPE html>"
        return ET.fromstring(rest)

    return parsed
