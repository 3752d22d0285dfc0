"""Exact duplicates."""

from __future__ import annotations

from hashlib import blake2b

from attrs import define

import mlm
from mlm_plugins.transforms.reading import batches, texts


@define(kw_only=True)
class Exact:
    """Removes rows that equal an earlier row, letter case and white space aside."""

    columns: list[str] = mlm.setting(factory=list, help="columns that are compared; without any, all text columns")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        first: dict[bytes, str] = {}
        with context.writer() as writer:
            for batch in batches(data):
                keys = [_key(text) for text in texts(batch, self.columns, context.step)]
                details = [
                    _first(key, row_id, first) for key, row_id in zip(keys, batch.strings("row_id"), strict=True)
                ]
                writer.write(batch.remove(details, "duplicate"))
        return writer.dataset


def _first(key: bytes, row_id: str, first: dict[bytes, str]) -> str | None:
    """Note a new row; of a row seen before, name the kept one."""
    if key in first:
        return f"same as {first[key]}"
    first[key] = row_id
    return None


def _key(text: str) -> bytes:
    """Return a digest of a row's text: the texts themselves need not stay in memory."""
    lines = (" ".join(line.split()) for line in text.casefold().split("\n"))
    return blake2b("\n".join(lines).encode("utf-8", "surrogatepass"), digest_size=16).digest()
