"""Rows of strings as the conversations that a chat template wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datasets

SPEAKERS = {"prompt": "user", "completion": "assistant", "chosen": "assistant", "rejected": "assistant"}


def as_messages(rows: datasets.Dataset, tokenizer: Any) -> datasets.Dataset:
    """Wrap each string in a message where the tokenizer has a chat template; plain text trains as it is without one."""
    if not tokenizer.chat_template:
        return rows
    return rows.map(_wrapped)


def _wrapped(row: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    return {name: [{"role": SPEAKERS[name], "content": text}] for name, text in row.items()}
