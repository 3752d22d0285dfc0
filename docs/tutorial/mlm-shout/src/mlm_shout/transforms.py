"""Rows that do not shout."""

from __future__ import annotations

from typing import ClassVar

import mlm
from attrs import define, validators

from mlm_shout.capitals import shouts


@define(kw_only=True)
class Unshout:
    """Writes texts that are all capitals as sentences."""

    API_VERSION: ClassVar[int] = 1

    letters: int = mlm.setting(8, validator=validators.ge(1), unit="letters", help="shorter texts are left alone")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.map_text(self._calm, "unshouted")

    def _calm(self, text: str) -> str:
        return text.capitalize() if shouts(text, self.letters) else text
