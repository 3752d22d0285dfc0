"""Personal data in text: addresses, numbers of phones, cards, accounts and people.

An entity starts at a place that one pattern names: an `@`, or where no ASCII word is going on. Whether one does depends
on the `REACH` characters before and after it. So a text that is still growing is settled except for its end, and
hostile text takes linear time. URLs are the exception, for they may be of any length.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from mlm_plugins.detectors.addresses import email, email_start
from mlm_plugins.detectors.readers import read
from mlm_plugins.detectors.spans import Span, replaced

KINDS = ("email", "url", "iban", "card", "ip", "ssn", "national_id", "wallet", "phone")

BOUNDED = tuple(kind for kind in KINDS if kind != "url")
"""Kinds that are no longer than `REACH`."""

REACH = 128
"""No entity but a URL is longer than this, together with the character that ends it."""


def find(text: str, kinds: Collection[str] = BOUNDED) -> list[Span]:
    """Return the entities of these kinds, in order, without overlap.

    What is read as one kind is of no other: a card number is no phone number, whether or not cards are asked for.
    A URL is looked for only where URLs are asked for, and so are the addresses in it otherwise.
    """
    return spans_at(text, [place.start() for place in _START.finditer(text)], kinds)


def spans_at(text: str, places: Sequence[int], kinds: Collection[str]) -> list[Span]:
    """Return the entities that start at these places: each an `@`, or the first character of another entity."""
    others = {place for place in places if text[place] != "@"}
    mails = {email_start(text, place): place for place in places if text[place] == "@"}
    spans: list[Span] = []
    end = 0
    for start in sorted(others | mails.keys()):
        span = None
        if start in mails and mails[start] >= end:
            span = email(text, max(start, end), mails[start])
        if not span and start in others and start >= end:
            span = read(text, start, "url" in kinds)
        if span:
            end = span.end
            spans.append(span)
    return [span for span in spans if span.kind in kinds]


def redact(text: str, kinds: Collection[str] = BOUNDED) -> str:
    """Return the text with every entity replaced by its kind, such as `<EMAIL>`."""
    return replaced(text, find(text, kinds))


_START = re.compile(
    r"@|(?<![A-Za-z0-9_.+])(?:"
    # Seven digits in groups, four of an address, a wallet's word.
    r"(?=[+(]?[0-9](?:[ ().\-/]*[0-9]){6}|(?:[0-9]{1,3}\.){3}[0-9]|[13][0-9A-Za-z]{24})"
    r"|(?=[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]|[A-Z]{2}[0-9]{2}|[A-Z]{6}[0-9]|[XYZ][0-9]|bc1|BC1|[A-Za-z]{2,5}://|[Ww]{3}\.))"
)
