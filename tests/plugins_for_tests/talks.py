"""Conversations, chat templates of many kinds, and what trainers make of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlm_plugins.trainers.labels import Labeller

Loader = Callable[[str | None], Any]

TALK = [
    {"role": "system", "content": "who is old"},
    {"role": "user", "content": "what is the capital?"},
    {"role": "assistant", "content": "the river city."},
    {"role": "user", "content": "where is north?"},
    {"role": "assistant", "content": "a mountain."},
]
PAIRS = [
    {"row_id": "a", "prompt": "what is the capital?", "completion": "the river city."},
    {"row_id": "b", "prompt": "", "completion": "a mountain.</s>"},
    {"row_id": "c", "prompt": "where is the old city of the north, the new city and the river " * 3, "completion": "."},
    {"row_id": "d", "prompt": "who", "completion": " is the old mountain of the south and the north" * 4},
]

CHATML = """
{%- if messages[0].role != 'system' %}{{ '<|system|>\\nBe good.</s>\\n' }}{% endif %}
{%- for message in messages %}
    {{- '<|' + message.role + '|>\\n' + message.content + '</s>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"""

MARKED = """
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|assistant|>' }}{% generation %}{{ message.content + '</s>' }}{% endgeneration %}
    {%- else %}{{ '<|' + message.role + '|>' + message.content + '</s>' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""

# As Qwen3's: only the last answer has a place for thoughts.
THOUGHTFUL = """
{%- for message in messages %}
    {{- '<|' + message.role + '|>' + ('[ ]' if loop.last and message.role == 'assistant' else '') }}
    {{- message.content + '</s>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""

# As Phi-3's: what is not asked for more ends the text.
CLOSED = """
{%- for message in messages %}{{ '<|' + message.role + '|>' + message.content + '</s>' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ '<pad>' }}{% endif %}"""

# As DeepSeek-R1's: what prompts for an answer opens a thought that the conversation does not keep.
THINKING = """
{%- for message in messages %}{{ '<|' + message.role + '|>' + message.content + '</s>' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>[ ' }}{% endif %}"""

FICKLE = """
{%- for message in messages %}{{ loop.length ~ '<|' + message.role + '|>' + message.content + '</s>' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""

CALLING = """
{%- if tools %}{{ '<|system|>' + tools | tojson + '</s>' }}{% endif %}
{%- for message in messages %}
    {{- '<|' + message.role + '|>' + (message.content or '') }}
    {%- for call in message.tool_calls or [] %}{{ call.function | tojson }}{% endfor %}
    {{- '</s>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""

CALL = {"function": {"name": "find", "arguments": "{}"}}


def labelled(tokenizer: Any, rows: Sequence[dict[str, Any]], max_length: int = 512) -> list[tuple[Any, Any]]:
    import datasets

    datasets.disable_progress_bars()
    made = Labeller(tokenizer, max_length, "talks").label(datasets.Dataset.from_list(list(rows)))
    return list(zip(made["input_ids"], made["labels"], strict=True))


def spoken(tokenizer: Any, rows: Sequence[dict[str, Any]]) -> Any:
    """Return rows of text as TRL wants them: as messages where the tokenizer has a chat template."""
    import datasets

    def wrapped(name: str, text: str) -> Any:
        role = "user" if name == "prompt" else "assistant"
        return [{"role": role, "content": text}] if tokenizer.chat_template else text

    said = [{name: wrapped(name, text) for name, text in row.items() if name != "row_id"} for row in rows]
    return datasets.Dataset.from_list(said)


def talk(messages: Any, **more: Any) -> dict[str, Any]:
    return {"row_id": "7", "messages": messages, **more}
