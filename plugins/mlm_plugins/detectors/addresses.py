"""Addresses in text: e-mail, URL, IP.

Letters of an address are those of scripts that put spaces between words (Latin, Greek, Cyrillic). In Chinese, Japanese
or Thai text, an address would otherwise take the sentence before it along.
"""

from __future__ import annotations

import ipaddress
import re

from mlm_plugins.detectors.spans import Span

_LOCAL_LENGTH = 48
_LETTERS = r"A-Za-z0-9\u00c0-\u052f"
_LOCAL = re.compile(rf"[{_LETTERS}_.%+-]+\Z")
_DOMAIN = re.compile(
    rf"@[{_LETTERS}][{_LETTERS}.-]{{0,52}}\.(?:xn--[A-Za-z0-9-]{{2,16}}|[A-Za-z\u00c0-\u052f]{{2,12}})(?![A-Za-z0-9])"
)
_URL = re.compile(
    r"(?:(?:https?|ftps?|wss?)://|(?P<bare>www\.))"
    rf"(?:[^\s/?#@<>\"]{{1,64}}@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[{_LETTERS}][{_LETTERS}._-]*)(?::[0-9]{{1,5}})?"
    r"(?:[/?#][^\s<>\"`|\\^{}]*)?",
    re.IGNORECASE,
)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IP4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}(?![0-9A-Za-z_]|\.[0-9])")
_IP6 = re.compile(r"[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{2,34}(?:(?:\.[0-9]{1,3}){3})?(?![0-9A-Za-z:])")


def email_start(text: str, at: int) -> int:
    """Return where the local part before an @ starts; `at` where there is none."""
    match = _LOCAL.search(text, max(0, at - _LOCAL_LENGTH), at)
    return match.start() if match else at


def email(text: str, start: int, at: int) -> Span | None:
    """Return the mail address whose local part is text[start:at]."""
    match = _DOMAIN.match(text, at) if start < at else None
    return Span("email", start, match.end()) if match else None


def url(text: str, start: int) -> int:
    """Return where a URL ends (RFC 3986), without the punctuation of the sentence round it; 0 where there is none."""
    match = _URL.match(text, start)
    if not match or (match["bare"] and "." not in match["host"]):
        return 0
    end = match.end()
    while end > match.end("host"):
        last = text[end - 1]
        if last in ".,;:!?'*_" or (last in ")]" and not _opened(text, start, end, last)):
            end -= 1
        else:
            break
    return end - (text[end - 1] in "._-")


def _opened(text: str, start: int, end: int, closing: str) -> bool:
    """Return whether a closing bracket at the end belongs to one that opened within."""
    return text.count("(" if closing == ")" else "[", start, end) >= text.count(closing, start, end)


def ip(text: str, start: int) -> int:
    """Return where an address of version 4 or 6 ends; 0 where there is none."""
    if match := _IP4.match(text, start):
        return match.end()
    match = _IP6.match(text, start)
    try:
        return match.end() if match and ipaddress.IPv6Address(match[0]) else 0
    except ValueError:
        return 0
