"""How long a text the model can take, and which ids it knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

import mlm

LENGTH_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
"""Names of the context length in `config.json`, as model families write it."""


@frozen
class Limits:
    """Context length in tokens, and size of the vocabulary."""

    max_length: int
    vocabulary: int

    @classmethod
    def read(cls, folder: Path) -> Limits:
        """Read `config.json` of a model folder; DataError where it does not say."""
        file = folder / "config.json"
        if not file.is_file():
            raise mlm.DataError(f"{folder} has no config.json; is it a model folder?")
        config = json.loads(file.read_text(encoding="utf-8"))
        config = config.get("text_config", config)
        length = next((config[key] for key in LENGTH_KEYS if config.get(key)), None)
        if length is None or not config.get("vocab_size"):
            raise mlm.DataError(f"{file} must give vocab_size and one of {', '.join(LENGTH_KEYS)}")
        return cls(length, config["vocab_size"])

    def require(self, ids: Sequence[int], *, new: int = 0) -> None:
        """Raise ValueError where the model cannot take these ids and `new` more."""
        if not 0 < len(ids) <= self.max_length - new:
            raise ValueError(f"the text has {len(ids)} tokens; the model takes 1 to {self.max_length - new}")
        if not 0 <= min(ids) <= max(ids) < self.vocabulary:
            raise ValueError(f"ids {min(ids)} to {max(ids)} are not all in the vocabulary of {self.vocabulary}")
