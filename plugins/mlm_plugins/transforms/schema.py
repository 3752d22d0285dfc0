"""The columns that a row must fill."""

from __future__ import annotations

from attrs import define

import mlm
from mlm.conversations import is_conversation
from mlm_plugins.transforms.reading import known


@define(kw_only=True)
class Schema:
    """Removes rows whose required text is missing or empty."""

    required: list[str] = mlm.setting(factory=list, help="columns that must hold text; without any, all text columns")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        known(batch, self.required, context.step)
        if not (self.required or batch.text_columns):
            found = ", ".join(batch.table.column_names)
            wanted = "text, prompt and completion, messages, or prompt, chosen and rejected"
            raise mlm.DataError(
                f"no column holds text to learn from (found: {found}; expected: {wanted})  [{context.step}]"
            )
        details: list[str | None] = [None] * len(batch)
        for name in self.required or batch.text_columns:
            kind = batch.table.schema.field(name).type
            if str(kind) not in ("string", "large_string") and not is_conversation(kind):
                raise mlm.DataError(f"column '{name}' is of type {kind}, expected string  [{context.step}]")
            values = batch.strings(name)
            details = [
                was or (None if text.strip() else f"{name} is empty") for was, text in zip(details, values, strict=True)
            ]
        return batch.remove(details, "schema")
