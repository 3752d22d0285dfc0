"""An engine that answers by a script: no weights, and every answer is known beforehand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from attrs import define, field

from mlm.serving import Generation, Message, Sampling, Tokenizer

UNKNOWN = "I do not know."


class CodePoints:
    """A tokenizer whose tokens are code points."""

    eos_ids: frozenset[int] = frozenset()

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    def chat(self, messages: Sequence[Message]) -> list[int]:
        return self.encode(str(messages[-1]["content"]))

    def without_special(self, text: str) -> str:
        return text


@define
class ScriptedEngine:
    """Answers each prompt as the script says, and all others with `I do not know.`"""

    script: Mapping[str, str]
    """Prompt -> answer."""
    tokenizer: Tokenizer = field(factory=CodePoints)
    """Its tokens are code points, and the last message of a chat is the prompt."""
    backend: str = "scripted 1"
    """What a report says of the library that answered."""
    max_length: int = 100_000
    """Tokens of a prompt and its answer together."""

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], *, right: bool = True) -> ScriptedEngine:
        """Answer the prompts of rows with their `completion` or `chosen`, or wrongly with what they have `rejected`."""
        columns = ("completion", "chosen") if right else ("rejected",)
        script = {}
        for row in rows:
            answer = next((row[name] for name in columns if row.get(name) is not None), None)
            if answer is not None and row.get("prompt") is not None:
                script[str(row["prompt"])] = str(answer)
        return cls(script)

    def generate(self, prompts: Sequence[Sequence[int]], sampling: Sampling) -> list[Generation]:
        """Answer each prompt, cut after `sampling.max_tokens`."""
        return [self._answered(self.tokenizer.decode(prompt), sampling) for prompt in prompts]

    def _answered(self, prompt: str, sampling: Sampling) -> Generation:
        ids = self.tokenizer.encode(self.script.get(prompt, UNKNOWN))
        kept = tuple(ids[: sampling.max_tokens])
        return Generation(kept, self.tokenizer.decode(kept), "stop" if len(kept) == len(ids) else "length")

    async def stream(self, prompt: Sequence[int], sampling: Sampling) -> AsyncGenerator[Sequence[int], None]:
        """Give the answer a token at a time."""
        for token in self.generate([prompt], sampling)[0].ids:
            yield [token]

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        """Say of every token but the first that its log-probability is -0.5."""
        return [[-0.5] * (len(sequence) - 1) for sequence in sequences]

    def close(self) -> None:
        """Nothing is held."""
