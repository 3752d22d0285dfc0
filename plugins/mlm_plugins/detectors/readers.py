"""Which entity starts at a place: the first kind that reads one there, the surest first."""

from __future__ import annotations

from collections.abc import Callable

from mlm_plugins.detectors.addresses import ip, url
from mlm_plugins.detectors.identifiers import national_id, wallet
from mlm_plugins.detectors.numbers import account, card, phone, ssn
from mlm_plugins.detectors.spans import Span

Reader = Callable[[str, int], int]
"""Returns where the entity that starts at a place ends, and 0 where there is none."""

_SIGNED: tuple[tuple[str, Reader], ...] = (("phone", phone),)
_NUMBERS: tuple[tuple[str, Reader], ...] = (
    ("national_id", national_id), ("card", card), ("ip", ip), ("ssn", ssn), ("wallet", wallet), ("phone", phone),
)  # fmt: skip
_WORDS: tuple[tuple[str, Reader], ...] = (
    ("iban", account), ("national_id", national_id), ("ip", ip), ("wallet", wallet),
)  # fmt: skip


def read(text: str, start: int, urls: bool) -> Span | None:
    """Return the entity that starts at `start`."""
    first = text[start]
    readers = _NUMBERS if "0" <= first <= "9" else _SIGNED if first in "+(" else _WORDS
    if urls and readers is _WORDS and (end := url(text, start)):
        return Span("url", start, end)
    for kind, reader in readers:
        if end := reader(text, start):
            return Span(kind, start, end)
    return None
