"""Which entity starts at a place: the first kind that reads one there, the surest first."""

from __future__ import annotations

from collections.abc import Callable

from mlm_plugins.detectors.addresses import ip, url
from mlm_plugins.detectors.identifiers import national_id, wallet
from mlm_plugins.detectors.numbers import account, card, phone, ssn
from mlm_plugins.detectors.spans import Span

Reader = Callable[[str, int], int]
"""Returns where the entity that starts at a place ends, and 0 where there is none."""

_READERS: tuple[tuple[str, Reader], ...] = (
    ("iban", account),
    ("national_id", national_id),
    ("card", card),
    ("ip", ip),
    ("ssn", ssn),
    ("wallet", wallet),
    ("phone", phone),
)


def read(text: str, start: int, urls: bool) -> Span | None:
    """Return the entity that starts at `start`."""
    if urls and (end := url(text, start)):
        return Span("url", start, end)
    for kind, reader in _READERS:
        if end := reader(text, start):
            return Span(kind, start, end)
    return None
