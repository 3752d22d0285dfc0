"""Personal data in prompts and completions."""

from __future__ import annotations

from typing import Literal

from attrs import define
from attrs.validators import deep_iterable, in_

import mlm
from mlm_plugins.detectors.pii import BOUNDED, REACH, find
from mlm_plugins.detectors.spans import replaced


@define(kw_only=True)
class PiiRedaction:
    """Masks mail and IP addresses, and numbers of phones, cards, accounts, people and wallets."""

    kinds: list[str] = mlm.setting(
        factory=lambda: list(BOUNDED),
        validator=deep_iterable(in_(BOUNDED)),
        help="what is masked: " + ", ".join(BOUNDED),
    )

    @mlm.hookimpl
    def mlm_guard(self) -> mlm.Guard:
        return _Redaction(kinds=tuple(self.kinds))


@define(kw_only=True)
class _Redaction:
    kinds: tuple[str, ...]
    name: str = "pii"
    holdback: int = REACH

    async def judge(self, text: str, direction: Literal["prompt", "completion"]) -> mlm.Judged:
        spans = find(text, self.kinds)
        if not spans:
            return mlm.Judged("allow", text)
        found = ", ".join(sorted({span.kind for span in spans}))
        return mlm.Judged("redact", replaced(text, spans), "pii", f"masked in the {direction}: {found}")
