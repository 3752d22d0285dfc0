"""Where a bracket of TOML was opened that nothing closes: the parser tells only where it gave up."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|(?P<open>[\[{])|(?P<close>[\]}])',
    re.DOTALL,
)
_PLACE = re.compile(r"\(at line (\d+),")


def unclosed(text: str, told: str) -> str:
    """Return `; the [ of line 3 is not closed` where that is what the parser stumbled over later, or nothing."""
    opened: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        if token["open"]:
            opened.append(token)
        elif token["close"] and opened:
            opened.pop()
    if not opened:
        return ""
    line = text.count("\n", 0, opened[0].start()) + 1
    place = _PLACE.search(told)
    return f"; the {opened[0][0]} of line {line} is not closed" if not place or int(place[1]) > line else ""
