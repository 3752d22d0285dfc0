"""Evaluation rows that have leaked into training rows."""

from __future__ import annotations

from attrs import define

import mlm
from mlm_plugins.transforms.reading import asked, batches, words


@define(kw_only=True)
class Decontaminate:
    """Removes rows whose prompt (or text) is also in a held-out dataset.

    Letter case, white space and punctuation do not count.
    """

    against: list[mlm.Dataset] = mlm.input(help="the held-out datasets")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        held_out = self._held_out()
        with context.writer() as writer:
            for batch in batches(data):
                writer.write(batch.remove([held_out.get(words(text)) for text in asked(batch)], "contamination"))
        return writer.dataset

    def _held_out(self) -> dict[str, str]:
        """Return what names the first held-out row, by the words it asks with."""
        found: dict[str, str] = {}
        for data in self.against:
            for batch in batches(data):
                for text, row_id in zip(asked(batch), batch.strings("row_id"), strict=True):
                    found.setdefault(words(text), f"same as row {row_id} of {data.ref or data.path.name}")
        found.pop("", None)
        return found
