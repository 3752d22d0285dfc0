"""Whether a model was made for conversations."""

from __future__ import annotations

import json
from pathlib import Path


def has_chat_template(folder: Path) -> bool:
    """Say whether a model folder carries a chat template, in a file of its own or in the tokenizer's settings."""
    if (folder / "chat_template.jinja").exists():
        return True
    config = folder / "tokenizer_config.json"
    return config.exists() and bool(json.loads(config.read_text(encoding="utf-8")).get("chat_template"))
