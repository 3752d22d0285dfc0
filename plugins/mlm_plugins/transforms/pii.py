"""Personal data in training rows."""

from __future__ import annotations

from attrs import define
from attrs.validators import deep_mapping, in_

import mlm
from mlm_plugins.detectors.pii import KINDS, find, redact


@define(kw_only=True)
class Pii:
    """Masks e-mail addresses, phone, card and account numbers and IP addresses."""

    policy: dict[str, str] = mlm.setting(
        factory=dict,
        validator=deep_mapping(in_(KINDS), in_(("redact", "drop", "keep"))),
        help="what happens to email, iban, card, ip, phone: redact (the default), drop (the row), keep",
    )

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        dropped, masked = self._kinds("drop"), self._kinds("drop", "redact")
        details = [_named(text, dropped) for text in batch.texts()]
        # Masked before the removal, which keeps the text of what it removes.
        return batch.map_text(lambda text: redact(text, masked), "pii").remove(details, "pii")

    def _kinds(self, *actions: str) -> list[str]:
        return [kind for kind in KINDS if self.policy.get(kind, "redact") in actions]


def _named(text: str, kinds: list[str]) -> str | None:
    """Name what was found; the removal must not quote it."""
    return ", ".join(sorted({span.kind for span in find(text, kinds)})) or None
