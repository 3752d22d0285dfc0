"""Chat templates, rendered as transformers renders them: Jinja in an immutable sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import mlm


class ChatTemplate:
    """A model's chat template; it turns a conversation into the text that the model was trained on."""

    def __init__(self, source: str, special_tokens: Mapping[str, str]) -> None:
        self._source = source
        self._template = _environment().from_string(source)
        self._special_tokens = dict(special_tokens)

    @classmethod
    def read(cls, folder: Path, config: Mapping[str, Any], special_tokens: Mapping[str, str]) -> ChatTemplate | None:
        """Read `chat_template.jinja`, else `chat_template` of `tokenizer_config.json`; None where there is neither."""
        file = folder / "chat_template.jinja"
        source = file.read_text(encoding="utf-8") if file.is_file() else config.get("chat_template")
        if isinstance(source, list):
            source = {entry["name"]: entry["template"] for entry in source}.get("default")
        return cls(source, special_tokens) if source else None

    @property
    def wording(self) -> str:
        """What the template may write around contents: its source, and a turn of each role that it takes."""
        texts = [self._source]
        for role in ("system", "user", "assistant", "tool"):
            asked = [{"role": "user", "content": ""}] if role in ("assistant", "tool") else []
            with suppress(mlm.DataError):
                texts.append(self.render([*asked, {"role": role, "content": ""}]))
        return "\n".join(texts)

    def render(self, messages: Sequence[mlm.Message]) -> str:
        """Render a conversation up to where the assistant speaks; DataError where the template refuses it."""
        from jinja2 import TemplateError

        if not messages:
            raise mlm.DataError("the conversation has no messages; the chat template needs at least one")
        # Clients send `content: null`, which templates would print as "None".
        spoken = [{key: value for key, value in message.items() if value is not None} for message in messages]
        try:
            return str(
                self._template.render(
                    messages=spoken, tools=None, documents=None, add_generation_prompt=True, **self._special_tokens
                )
            )
        except TemplateError as error:
            raise mlm.DataError(f"the model's chat template refuses the conversation: {error}") from error


def _environment() -> Any:
    from jinja2 import TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.nodes import Scope
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class GenerationBlock(Extension):
        """Renders `{% generation %}` blocks, which mark the assistant's words for training, as they stand."""

        tags = {"generation"}  # noqa: RUF012  # Jinja's own declaration

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            return Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)

    def refuse(message: str) -> str:
        raise TemplateError(message)

    def tojson(
        value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
    ) -> str:
        # Jinja's own filter escapes HTML.
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationBlock, loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment
