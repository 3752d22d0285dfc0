"""What is said, in the words and the tokens of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

import mlm
from mlm_plugins.detectors.turns import Message

if TYPE_CHECKING:
    import datasets

Row = Mapping[str, Any]


@frozen
class Chat:
    """Writes messages by a model's chat template; ValueError says what the template refuses.

    Attributes:
        tools: What the template is told of tools; None: nothing.
    """

    tokenizer: Any
    tools: Any

    def text(self, messages: Sequence[Message], *, opens: bool = False) -> str:
        """Return messages as text, with what prompts the assistant to speak where `opens`."""
        from jinja2 import TemplateError

        calling = next((number for number, one in enumerate(messages, 1) if "tool_calls" in one), None)
        if calling and "tool_calls" not in self.tokenizer.get_chat_template(tools=self.tools):
            raise ValueError(
                f"calls a tool in message {calling}, which the chat template cannot write: take a model whose "
                "template can, or leave such rows out by a transform of your own (mlm plugins new transforms <name>)"
            )
        try:
            text = self.tokenizer.apply_chat_template(
                list(messages), tools=self.tools, tokenize=False, add_generation_prompt=opens
            )
        except (TemplateError, TypeError) as error:
            raise ValueError(f"is refused by the model's chat template: {error}") from error
        return str(text)


def plain(tokenizer: Any, row: Row, answer: str) -> tuple[str, str]:
    """Return a row's prompt, and its prompt with the answer of a column and its end, for a model without a template."""
    for name in ("prompt", answer):
        if not isinstance(row.get(name), str):
            what = "nothing" if row.get(name) is None else "messages"
            raise ValueError(f"holds {what} in '{name}', and the model has no chat template; give it text")
    end = tokenizer.eos_token
    if end is None:
        raise ValueError("has no end: the model has neither a chat template nor an eos_token in tokenizer_config.json")
    return row["prompt"], row["prompt"] + row[answer].removesuffix(end) + end


def ids_of(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of a text."""
    # A chat template writes the special tokens itself.
    special = not tokenizer.chat_template
    return tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"]  # type: ignore[no-any-return]


def tokenized(
    rows: datasets.Dataset,
    name: str,
    columns: Sequence[str],
    sequences: Callable[[Row], Iterable[Mapping[str, list[int]]]],
) -> datasets.Dataset:
    """Return the sequences of rows as columns of token ids.

    Args:
        name: Whose rows they are, for errors.
        sequences: Makes any number of sequences of a row, each with those columns; ValueError says what the row lacks.

    Raises:
        DataError: A row lacks something; the message names it.
    """
    import datasets

    def made(batch: dict[str, list[Any]]) -> dict[str, list[list[int]]]:
        found: list[Mapping[str, list[int]]] = []
        for values in zip(*batch.values(), strict=True):
            row = dict(zip(batch, values, strict=True))
            try:
                found += sequences(row)
            except ValueError as error:
                where = f" ({row['source']})" if row.get("source") else ""
                raise mlm.DataError(f"row {row['row_id']} of {name}{where} {error}") from error
        return {column: [one[column] for one in found] for column in columns}

    ids = datasets.Sequence(datasets.Value("int32"))
    features = datasets.Features(dict.fromkeys(columns, ids))
    # What is made is counted, so a resumed run makes it again.
    return rows.map(made, batched=True, remove_columns=rows.column_names, features=features, load_from_cache_file=False)
