"""A model folder's tokenizer, without transformers: equal ids, a tenth of the start-up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import mlm
from mlm_plugins.servers.templates import ChatTemplate


class FileTokenizer:
    """Text to ids and back by the `tokenizer.json` and the chat template of a model folder."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        file = folder / "tokenizer.json"
        if not file.is_file():
            raise mlm.DataError(f"{folder} has no tokenizer.json; save the model with its fast tokenizer")
        config = _json(folder / "tokenizer_config.json")
        named = _special_tokens(folder, config)
        self._backend: Any = Tokenizer.from_file(str(file))
        self._backend.no_truncation()
        self._backend.no_padding()
        _mark_special(self._backend, named)
        self._template = ChatTemplate.read(folder, config, named)
        self._eos_ids = _eos_ids(folder, self._backend, named)
        others = {text for name, text in named.items() if name != "unk_token"}
        self._unknown = {named.get("unk_token")} - others

    @property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end a continuation."""
        return self._eos_ids

    def encode(self, text: str) -> list[int]:
        """Return ids with the special tokens that the model's tokenizer adds (such as a leading BOS)."""
        ids: list[int] = self._backend.encode(text).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return text without special tokens."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    def chat(self, messages: Sequence[mlm.Message]) -> list[int]:
        """Return ids of a conversation by the chat template, ready for the assistant's turn."""
        if self._template is None:
            raise mlm.DataError("the model has no chat template; ask for a completion, or import it with one")
        # The template itself writes BOS and the like.
        ids: list[int] = self._backend.encode(self._template.render(messages), add_special_tokens=False).ids
        return ids

    def without_special(self, text: str) -> str:
        """Return a text with a space where a special token stood, or one that the chat template writes.

        Words that a template writes without a token of their own (such as `[INST]` of Llama 2) stay.
        """
        # A space can make no token of what stood around it, but a token may have stood within another's text.
        while found := self._reserved_spans(text):
            for start, end in reversed(found):
                text = f"{text[:start]} {text[end:]}"
        return text

    def _reserved_spans(self, text: str) -> list[tuple[int, int]]:
        """Return where reserved tokens stand in a text, each with something that is no white space."""
        found = self._backend.encode(text, add_special_tokens=False)
        spans = [place for id, place in zip(found.ids, found.offsets, strict=True) if id in self._reserved]
        return [(start, end) for start, end in spans if text[start:end].strip()]

    @cached_property
    def _reserved(self) -> frozenset[int]:
        """Ids of special tokens, but of the one for unknown characters, and of added ones that the template has."""
        wording = self._template.wording if self._template else ""
        return frozenset(
            id
            for id, token in self._backend.get_added_tokens_decoder().items()
            if (token.special and token.content not in self._unknown)
            or (token.content.strip() and token.content in wording)
        )


def _json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _special_tokens(folder: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """Return names and texts of special tokens, such as `bos_token`; each is written as a string or an object."""
    entries = {**_json(folder / "special_tokens_map.json"), **config}
    texts = {name: entry.get("content") if isinstance(entry, dict) else entry for name, entry in entries.items()}
    return {name: text for name, text in texts.items() if name.endswith("_token") and isinstance(text, str)}


def _mark_special(backend: Any, named: Mapping[str, str]) -> None:
    """Make every named token special, also where `tokenizer.json` lists it as an ordinary word."""
    known = {token.content for token in backend.get_added_tokens_decoder().values() if token.special}
    backend.add_special_tokens(sorted(set(named.values()) - known))


def _eos_ids(folder: Path, backend: Any, named: Mapping[str, str]) -> frozenset[int]:
    """Return `eos_token_id` of generation_config.json (else of config.json) and the tokenizer's own."""
    listed = _json(folder / "generation_config.json").get(
        "eos_token_id", _json(folder / "config.json").get("eos_token_id")
    )
    ids = set(listed if isinstance(listed, list) else [] if listed is None else [listed])
    own = backend.token_to_id(named["eos_token"]) if "eos_token" in named else None
    return frozenset(ids | ({own} if own is not None else set()))
