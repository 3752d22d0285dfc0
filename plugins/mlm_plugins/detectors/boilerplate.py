"""Lines of web pages that say nothing: notes on cookies, navigation, and what C4's rules drop."""

from __future__ import annotations

import re
from collections.abc import Callable

TERMINAL = (".", "?", "!", '"', "'", "\u201d", "\u2019")
_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_POLICY = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
)  # fmt: skip
_SHORT, _LONG_WORD = 3, 1000
_COOKIES = re.compile(
    r"\b(?:we|this (?:web)?site|our (?:web)?site) (?:\w+ ){0,3}cookies\b|\b(?:accept|reject|decline|manage|allow)"
    r" (?:all |our |necessary )?cookies\b|\bcookie (?:settings|preferences|notice|consent)\b|\bby (?:continuing|using)"
    r"[^.]{0,80}\b(?:cookies|our terms|privacy)",
    re.IGNORECASE,
)
_MENU = """skip to content, skip to main content, menu, main menu, toggle navigation, search, log in, login, sign in,
    sign up, register, home, back to top, read more, learn more, continue reading, next, previous, subscribe,
    subscribe now, subscribe to our newsletter, leave a comment, leave a reply, related posts, related articles,
    advertisement, print, download, loading, click here, share, tweet, follow us, like us"""
_ENTRIES = "|".join(re.escape(" ".join(entry.split())) for entry in _MENU.split(","))
_NAVIGATION = re.compile(
    rf"^\W*(?:{_ENTRIES}|(?:share|follow us|like us) on .{{1,20}}|(?:\d+ )?comments?)\W*$", re.IGNORECASE
)
_RIGHTS = re.compile(r"\ball rights reserved\b|^\W*(?:\u00a9|\(c\)|copyright)\W*(?:\d{4}|by\b)", re.IGNORECASE)
_SCRIPT = re.compile(
    r"\bjava ?script (?:is (?:required|disabled|not enabled)|must be|needs to be)|\b(?:enable|activate|turn on)"
    r" (?:\w+ )?java ?script\b",
    re.IGNORECASE,
)
_PARTED = re.compile(r"\s[|\u00bb\u203a\u00b7\u2022]\s")
_PARTS, _PART_WORDS = 3, 4

Judge = Callable[[str], str | None]
"""Says why a stripped line goes, or None."""


def c4(line: str) -> str | None:
    """Judge by the rules of C4 on lines (Raffel et al. 2020, 2.2, and its code, which adds long words and policies)."""
    words, lower = line.split(), line.lower()
    if any(len(word) > _LONG_WORD for word in words):
        return "long word"
    if not line.endswith(TERMINAL) or line.endswith("..."):
        return "no end mark"
    if len(words) < _SHORT:
        return "few words"
    if "javascript" in lower:
        return "javascript"
    return "policy" if any(phrase in lower for phrase in _POLICY) else None


def web(line: str) -> str | None:
    """Judge by what notes and menus say; sentences about something else stay, with or without an end mark."""
    if _NAVIGATION.search(line):
        return "navigation"
    if _COOKIES.search(line):
        return "cookies"
    if _SCRIPT.search(line):
        return "javascript"
    if _RIGHTS.search(line):
        return "rights"
    parts = _PARTED.split(line)
    is_menu = len(parts) >= _PARTS and all(len(part.split()) <= _PART_WORDS for part in parts)
    return "navigation" if is_menu else None


RULES: dict[str, Judge] = {"web": web, "c4": c4}
"""Sets of rules on lines."""


def without_citations(line: str) -> str:
    """Return a line without Wikipedia's marks, as C4 has it."""
    return _CITATION.sub("", line) if "[" in line else line
