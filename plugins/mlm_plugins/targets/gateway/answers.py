"""Responses and chunks in the shapes of the OpenAI API.

Chunks are written by hand from a template: building them from objects takes ten to a thousand times as long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Any

from mlm_plugins.targets.gateway.replies import Reply
from mlm_plugins.targets.gateway.requests import Asked

DONE = b"data: [DONE]\n\n"


class Answer:
    """The envelope of one response: its id, its model version and its kind."""

    def __init__(self, id: str, asked: Asked, model: str, created: int) -> None:
        self._chat = asked.kind == "chat"
        self._usage = asked.include_usage
        thing = "chat.completion" if self._chat else "text_completion"
        self._head = {"id": id, "object": thing, "created": created, "model": model}
        chunk = self._head | {"object": "chat.completion.chunk"} if self._chat else self._head
        self._start = f"data: {json.dumps(chunk)[:-1]}, "
        null_usage = ', "usage": null' if self._usage else ""
        self._end = f', "finish_reason": null}}]{null_usage}}}\n\n'

    def whole(self, replies: Sequence[Reply]) -> bytes:
        """Write a response that is not streamed."""
        choices = [self._choice(index, reply) for index, reply in enumerate(replies)]
        return json.dumps(self._head | {"choices": choices, "usage": usage(replies)}, ensure_ascii=False).encode()

    def _choice(self, index: int, reply: Reply) -> dict[str, Any]:
        ending = {"index": index, "logprobs": None, "finish_reason": reply.finish_reason}
        if self._chat:
            return {"message": {"role": "assistant", "content": reply.text, "refusal": None}} | ending
        return {"text": reply.text} | ending

    def opening(self, index: int) -> bytes:
        """Write what comes before the first text of a choice: in a chat, who speaks."""
        return self._delta(index, '{"role": "assistant", "content": ""}') if self._chat else b""

    def piece(self, index: int, text: str) -> bytes:
        """Write one piece of text."""
        quoted = encode_basestring(text)
        if self._chat:
            return self._delta(index, f'{{"content": {quoted}}}')
        return f'{self._start}"choices": [{{"index": {index}, "text": {quoted}, "logprobs": null{self._end}'.encode()

    def _delta(self, index: int, delta: str) -> bytes:
        return f'{self._start}"choices": [{{"index": {index}, "delta": {delta}, "logprobs": null{self._end}'.encode()

    def ending(self, index: int, reply: Reply) -> bytes:
        """Write the last chunk of a choice, with its finish reason."""
        text = '"delta": {}' if self._chat else '"text": ""'
        end = self._end.replace("null", f'"{reply.finish_reason}"', 1)
        return f'{self._start}"choices": [{{"index": {index}, {text}, "logprobs": null{end}'.encode()

    def closing(self, replies: Sequence[Reply]) -> bytes:
        """Write what ends the stream, with the usage where it was asked for."""
        if not self._usage:
            return DONE
        return f'{self._start}"choices": [], "usage": {json.dumps(usage(replies))}}}\n\n'.encode() + DONE


def usage(replies: Sequence[Reply]) -> dict[str, int]:
    """Count the tokens of all replies."""
    prompt = sum(reply.prompt_tokens for reply in replies)
    completion = sum(reply.completion_tokens for reply in replies)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
