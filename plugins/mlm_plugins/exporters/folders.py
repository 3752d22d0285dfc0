"""What an exported folder keeps of the model that it was made from."""

from __future__ import annotations

import shutil
from pathlib import Path

KEPT = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
"""Files that say how to speak to the model; weights are not among them."""


def copy_companions(source: Path, target: Path) -> None:
    """Copy those files of KEPT that `source` has."""
    target.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
