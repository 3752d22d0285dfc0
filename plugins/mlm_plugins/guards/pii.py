"""Personal data in prompts and completions."""

from __future__ import annotations

from typing import Literal

from attrs import define
from attrs.validators import deep_iterable, in_

import mlm
from mlm_plugins.detectors.pii import KINDS, REACH, find, redact


@define(kw_only=True)
class PiiRedaction:
    """Masks e-mail addresses, phone, card and account numbers and IP addresses."""

    kinds: list[str] = mlm.setting(
        factory=lambda: list(KINDS), validator=deep_iterable(in_(KINDS)), help="what is masked: " + ", ".join(KINDS)
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
        found = sorted({span.kind for span in find(text, self.kinds)})
        if not found:
            return mlm.Judged("allow", text)
        return mlm.Judged("redact", redact(text, self.kinds), "pii", f"masked in the {direction}: {', '.join(found)}")
