"""Instruction and preference data in the formats that people have, as rows that trainers take."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import define, frozen
from attrs.validators import in_

import mlm
from mlm.people import SUBJECT_COLUMNS, as_name
from mlm_plugins.sources.conversations import Example, Unknown, examples
from mlm_plugins.sources.csv_files import Csv
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.json_values import canonical
from mlm_plugins.sources.jsonl import json_chunks
from mlm_plugins.sources.lines import Fault
from mlm_plugins.sources.messages import Message, message_type
from mlm_plugins.sources.parquet import parquet_chunks
from mlm_plugins.sources.reading import Chunk, Files, bare, subject_of
from mlm_plugins.sources.transcripts import ASSISTANT, HUMAN, written

FORMS = ("prompt-completion", "messages", "preference", "kto")
_KINDS = {"prompt-completion": "chat", "messages": "chat", "preference": "preference", "kto": "kto"}


@define(kw_only=True)
class Instructions(Files):
    """Reads instruction and preference data in the formats that people have, as rows that trainers take.

    Alpaca, Self-Instruct, ShareGPT, OpenAI's messages with tool calls, pairs of prompt and completion, chosen and
    rejected answers, hh-rlhf's transcripts and KTO's labels, in JSON lines, JSON, CSV or Parquet. A record's format
    is told by its keys, and `format` names it. Rows have TRL's columns: `prompt` and `completion`, or `messages` and
    `tools`, or `prompt`, `chosen` and `rejected`, or `prompt`, `completion` and `label`. `subject`, `user` and
    `user_id` stay columns; what else a format has no place for is kept in `extra`, as JSON. In text, a conversation of
    several turns is written as hh-rlhf does.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
    unit: ClassVar[str] = "record"

    to: str = mlm.setting(
        "auto",
        validator=in_(("auto", *FORMS)),
        help="form of the rows: prompt-completion, messages, preference or kto; auto takes what holds most records",
    )
    encoding: str = mlm.setting("utf-8", help="encoding of files that have no byte order mark")

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        files, ids = self.files(context), RowIds()
        form = self.to if self.to != "auto" else self._form(files)
        with context.writer() as writer:
            for name, file in files:
                for chunk in self._chunks(file):
                    found = _read(chunk, form)
                    removed = self.removals(name, file, found.faults, ids)
                    writer.write(mlm.Batch(_table(found, form, name, ids), removed))
        return writer.dataset

    def _form(self, files: list[tuple[str, Path]]) -> str:
        """Return the form that holds most records: text where all are single questions and answers."""
        kinds = Counter[str]()
        for _, file in files:
            for chunk in self._chunks(file):
                for value in chunk.values:
                    kinds.update(_kinds(value))
        most = max(("chat", "preference", "kto"), key=lambda kind: kinds[kind])
        return most if most != "chat" else "messages" if kinds["turns"] else "prompt-completion"

    def _chunks(self, file: Path) -> Iterator[Chunk]:
        name = bare(file.name)
        if name.endswith(".parquet"):
            return parquet_chunks(file)
        if name.endswith((".csv", ".tsv")):
            return Csv(path=file, max_row_bytes=self.max_row_bytes, encoding=self.encoding).chunks(file)
        return json_chunks(file, self.encoding, self.max_row_bytes)


@frozen
class _Found:
    """Examples of a chunk that have the form, each with the number of its record; all else is a fault."""

    numbers: list[int]
    examples: list[Example]
    faults: list[Fault]


def _kinds(value: Any) -> list[str]:
    try:
        found = list(examples(value)) if isinstance(value, dict) else []
    except Unknown:
        return []
    turns = ["turns" for one in found if one.kind == "chat" and not one.is_single]
    return [one.kind for one in found] + turns


def _read(chunk: Chunk, form: str) -> _Found:
    found = _Found([], [], list(chunk.faults))
    for number, value, raw in zip(chunk.numbers, chunk.values, chunk.raws, strict=True):
        try:
            if not isinstance(value, dict):
                raise Unknown("the record is no object")
            read = list(examples(value))
            for example in read:
                _check(example, form)
        except Unknown as error:
            fault = Fault(number, str(error), raw[:2000], "schema", canonical(value), subject_of(value))
            found.faults.append(fault)
            continue
        found.numbers.extend([number] * len(read))
        found.examples.extend(read)
    return found


def _check(example: Example, form: str) -> None:
    if example.kind != _KINDS[form]:
        raise Unknown(f"the record is of kind {example.kind}, which has no place in the form {form}")
    if form != "messages":
        if example.tools or not all(
            message.is_text and message.role != "tool"
            for message in (*example.messages, *example.chosen, *example.rejected)
        ):
            raise Unknown(f"tools, their calls and parts have no place in the form {form}, only in messages")
        last = example.messages[-1].role
        if form in ("prompt-completion", "kto") and (last != "assistant" or len(example.messages) < 2):
            raise Unknown(f"the last of {len(example.messages)} messages is the {last}'s: no answer to a prompt")


def _table(found: _Found, form: str, name: str, ids: RowIds) -> Any:
    import pyarrow as pa

    rows, text = found.examples, pa.string()
    columns: dict[str, Any] = {"source": pa.array([f"{name}:{number}" for number in found.numbers], text)}
    if form == "messages":
        kind = pa.list_(message_type())
        columns["messages"] = pa.array([[message.row() for message in one.messages] for one in rows], kind)
        columns["tools"] = pa.array([_json(one.tools) for one in rows], text)
    elif form == "preference":
        columns["prompt"] = pa.array([_prompt(one.messages) for one in rows], text)
        columns["chosen"] = pa.array([_answer(one.chosen) for one in rows], text)
        columns["rejected"] = pa.array([_answer(one.rejected) for one in rows], text)
    else:
        columns["prompt"] = pa.array([_prompt(one.messages[:-1]) for one in rows], text)
        columns["completion"] = pa.array([one.messages[-1].content for one in rows], text)
        if form == "kto":
            columns["label"] = pa.array([one.label for one in rows], pa.bool_())
    columns["format"] = pa.array([one.format for one in rows], text)
    columns["extra"] = pa.array([_json(dict(one.extra) or None) for one in rows], text)
    # An id is of the whole record, whatever has a column of its own.
    keys = pa.table(columns).drop_columns("source").to_pylist()
    others = [{key: value for key, value in one.extra.items() if key not in SUBJECT_COLUMNS} for one in rows]
    columns["extra"] = pa.array([_json(other or None) for other in others], text)
    for column in SUBJECT_COLUMNS:
        if any(one.extra.get(column) is not None for one in rows):
            columns[column] = pa.array([as_name([one.extra.get(column)]) or None for one in rows], text)
    return pa.table({"row_id": pa.array(ids.of([canonical(key) for key in keys]), text)} | columns)


def _prompt(messages: Sequence[Message]) -> str:
    """Return one question as it stands, after the system's message; several turns as a transcript."""
    spoken = [message for message in messages if message.role in ("user", "assistant")]
    if len(spoken) != 1:
        return written(messages)
    return "\n\n".join(message.content or "" for message in messages)


def _answer(messages: Sequence[Message]) -> str:
    """Return what follows a prompt, which may be several turns."""
    first, *others = messages
    turns = [f"{HUMAN if other.role == 'user' else ASSISTANT} {other.content}" for other in others]
    return "".join([first.content or "", *turns])


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
