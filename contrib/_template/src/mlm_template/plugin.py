"""Answers each prompt with the prompt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, ClassVar

import mlm
from attrs import define


class CodePoints:
    """A tokenizer whose tokens are code points."""

    eos_ids: frozenset[int] = frozenset()

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    def chat(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        return self.encode(str(messages[-1]["content"]))

    def without_special(self, text: str) -> str:
        return text


class EchoingEngine:
    """An engine without weights."""

    def __init__(self) -> None:
        self.tokenizer: mlm.Tokenizer = CodePoints()
        self.backend = "echo 1"
        self.max_length = 100_000

    def generate(self, prompts: Sequence[Sequence[int]], sampling: mlm.Sampling) -> list[mlm.Generation]:
        kept = [tuple(prompt[: sampling.max_tokens]) for prompt in prompts]
        return [mlm.Generation(ids, self.tokenizer.decode(ids), "stop") for ids in kept]

    async def stream(self, prompt: Sequence[int], sampling: mlm.Sampling) -> AsyncGenerator[Sequence[int], None]:
        for token in prompt[: sampling.max_tokens]:
            yield [token]

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        return [[0.0] * (len(sequence) - 1) for sequence in sequences]

    def close(self) -> None:
        """Nothing is held."""


@define(kw_only=True)
class TemplateServer:
    """Answers each prompt with the prompt."""

    API_VERSION: ClassVar[int] = 1

    @mlm.hookimpl
    def mlm_load(self, model: mlm.Model) -> mlm.Engine:
        return EchoingEngine()
