"""Personal data in text: e-mail addresses, phone, card and account numbers, IP addresses.

Whether an entity starts at a place depends on the character before it and on at most `REACH` characters from it on.
So a text that is still growing is settled except for its end, and hostile text takes linear time.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection

from attrs import frozen

from mlm_plugins.detectors.checksums import IBAN_LENGTHS, iban, luhn

KINDS = ("email", "iban", "card", "ip", "phone")

REACH = 64
"""No entity is longer than this, together with the character that ends it."""


@frozen
class Span:
    """An entity at text[start:end]."""

    kind: str
    start: int
    end: int


def find(text: str, kinds: Collection[str] = KINDS) -> list[Span]:
    """Return the entities of these kinds, in order, without overlap."""
    spans: list[Span] = []
    end = 0
    for start in _START.finditer(text):
        if start.start() >= end and (span := _read(text, start.start())):
            end = span.end
            spans.append(span)
    return [span for span in spans if span.kind in kinds]


def redact(text: str, kinds: Collection[str] = KINDS) -> str:
    """Return the text with every entity replaced by its kind, such as `<EMAIL>`."""
    parts, end = [], 0
    for span in find(text, kinds):
        parts += [text[end : span.start], f"<{span.kind.upper()}>"]
        end = span.end
    return "".join([*parts, text[end:]])


def _read(text: str, start: int) -> Span | None:
    """Return the entity that starts at `start`: the first kind that has one there."""
    for kind, pattern, is_valid in _READERS:
        match = pattern.match(text, start)
        if match and (length := is_valid(match[0])):
            return Span(kind, start, start + length)
    return None


def _email(found: str) -> int:
    return len(found)


def _card(found: str) -> int:
    digits = re.sub(r"\D", "", found)
    return len(found) if luhn(digits) and len(set(digits)) > 1 else 0


def _iban(found: str) -> int:
    """Return where the country's number of characters is reached, if they pass the check."""
    wanted = IBAN_LENGTHS.get(found[:2], 0)
    places = [place for place, character in enumerate(found) if character != " "][:wanted]
    if not wanted or len(places) < wanted or found[places[-1] + 1 :][:1].strip():
        return 0
    return places[-1] + 1 if iban("".join(found[place] for place in places)) else 0


def _ip(found: str) -> int:
    try:
        ipaddress.ip_address(found)
    except ValueError:
        return 0
    return len(found)


def _phone(found: str) -> int:
    # A day, as in 01.02.2024, has eight digits.
    return len(found) if 9 <= sum(character.isdigit() for character in found) <= 15 else 0


_Reader = tuple[str, re.Pattern[str], Callable[[str], int]]

_READERS: tuple[_Reader, ...] = (
    ("email", re.compile(r"[\w.%+-]{1,32}@[A-Za-z0-9][A-Za-z0-9.-]{0,20}\.[A-Za-z]{2,8}(?![A-Za-z0-9])"), _email),
    ("iban", re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}(?![A-Za-z0-9])"), _iban),
    ("card", re.compile(r"[2-6][0-9]{3}([ -])(?:[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{6}\1[0-9]{5})(?![0-9])"), _card),
    ("card", re.compile(r"(?:[2-6][0-9]{11,18}|1800[0-9]{11})(?![0-9])"), _card),
    ("ip", re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9]|\.[0-9])"), _ip),
    ("ip", re.compile(r"[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{3,34}(?![0-9A-Za-z:])"), _ip),
    ("phone", re.compile(r"(?:\+|00)[1-9][0-9 ().-]{6,18}[0-9](?![0-9])"), _phone),
    ("phone", re.compile(r"\(?[0-9]{3}\)?[ .-]{1,2}[0-9]{3}[ .-][0-9]{4}(?![0-9])"), _phone),
    ("phone", re.compile(r"0[1-9][0-9]{0,3}([ ./-])[0-9]{2,8}(?:\1[0-9]{2,5}){0,3}(?![0-9])"), _phone),
)

# Where an entity may start: a mail address anywhere before its @, all others where no word is going on.
_START = re.compile(r"(?=[\w.%+-]{1,32}@)|(?<![\w.+])(?=[+(]?[0-9]|[A-Z]{2}[0-9]{2}|[0-9A-Fa-f]{1,4}:)")
