"""Instruction and preference data in the formats that people have; nothing of a record is lost."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.sources.instructions import Instructions

Read = Callable[..., mlm.Dataset]
OWN = ("row_id", "source")


HI, YO, NO = "Hi.", "Yo.", "No."


def said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def turn(speaker: str, text: str) -> dict[str, str]:
    return {"from": speaker, "value": text}


def transcript(*turns: str) -> str:
    return "".join(f"\n\n{('Human', 'Assistant')[n % 2]}: {text}" for n, text in enumerate(turns))


def rows_of(data: mlm.Dataset) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in OWN} for row in data.rows()]


def written(*records: Any) -> dict[str, bytes]:
    return {"a.jsonl": "".join(json.dumps(record) + "\n" for record in records).encode()}


@pytest.mark.parametrize(
    ("record", "prompt", "completion", "format"),
    [
        ({"instruction": "Add.", "input": "1 2", "output": "3"}, "Add.\n\n1 2", "3", "alpaca"),
        ({"instruction": "Hi.", "input": "", "output": "Hello."}, "Hi.", "Hello.", "alpaca"),
        ({"instruction": "Hi.", "output": "Hello.", "system": "Be kind."}, "Be kind.\n\nHi.", "Hello.", "alpaca"),
        ({"instruction": "Hi.", "instances": [{"input": "", "output": "Yo."}]}, HI, YO, "self-instruct"),
        ({"conversations": [turn("human", HI), turn("gpt", YO)]}, HI, YO, "sharegpt"),
        ({"messages": [said("user", HI), said("assistant", YO)]}, HI, YO, "messages"),
        ({"prompt": "Hi.", "completion": "Yo."}, HI, YO, "pair"),
        ({"prompt": [said("user", HI)], "completion": [said("assistant", YO)]}, HI, YO, "pair"),
        ({"question": "1+1?", "answer": "2"}, "1+1?", "2", "pair"),
    ],
)
def test_one_question_and_its_answer_become_text(
    read_with: Read, record: dict[str, Any], prompt: str, completion: str, format: str
) -> None:
    (row,) = rows_of(read_with(Instructions, written(record), to="prompt-completion"))

    assert row == {"prompt": prompt, "completion": completion, "format": format, "extra": row["extra"]}


def test_several_turns_become_messages_and_as_text_a_transcript(read_with: Read) -> None:
    turns = [("human", "Hi."), ("gpt", "Yo."), ("human", "Bye."), ("gpt", "So long.")]
    files = written({"id": 7, "conversations": [{"from": who, "value": said} for who, said in turns]})

    (row,) = rows_of(read_with(Instructions, files))
    (text,) = rows_of(read_with(Instructions, files, to="prompt-completion"))

    assert [(m["role"], m["content"]) for m in row["messages"]] == [
        ("user", "Hi."), ("assistant", "Yo."), ("user", "Bye."), ("assistant", "So long."),
    ]  # fmt: skip
    assert json.loads(row["extra"]) == {"id": 7}
    assert text["prompt"] == "\n\nHuman: Hi.\n\nAssistant: Yo.\n\nHuman: Bye.\n\nAssistant:"
    assert text["completion"] == "So long."


def test_tool_calls_have_openai_s_form_wherever_they_come_from(read_with: Read) -> None:
    arguments = '{"city": "Bern"}'
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    openai = {
        "messages": [
            {"role": "user", "content": "Rain?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "no", "tool_call_id": "c1"},
            {"role": "assistant", "content": "No.", "weight": 1},
        ],
        "tools": [{"type": "function", "function": {"name": "weather"}}],
    }
    sharegpt = {
        "conversations": [
            {"from": "human", "value": "Rain?"},
            {"from": "function_call", "value": f'{{"name": "weather", "arguments": {arguments}}}'},
            {"from": "observation", "value": "no"},
            turn("gpt", NO),
        ],
        "tools": '[{"type": "function", "function": {"name": "weather"}}]',
    }

    one, other = rows_of(read_with(Instructions, written(openai, sharegpt)))

    assert [m["role"] for m in one["messages"]] == [m["role"] for m in other["messages"]]
    assert one["messages"][1]["tool_calls"] == [call]
    assert other["messages"][1]["tool_calls"] == [{**call, "id": None}]
    assert one["messages"][2]["tool_call_id"] == "c1"
    assert json.loads(one["messages"][3]["extra"]) == {"weight": 1}
    assert json.loads(one["tools"]) == json.loads(other["tools"]) == openai["tools"]


def test_the_older_function_calls_of_openai_become_tool_calls(read_with: Read) -> None:
    call = {"name": "weather", "arguments": '{"city": "Bern"}'}
    nothing = {"name": None, "arguments": None}
    messages = [
        {**said("user", "Rain?"), "function_call": nothing},
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "weather", "content": "no"},
        {**said("assistant", "No."), "function_call": {"name": "say", "arguments": {"what": "No."}}},
        {"role": "assistant", "content": "", "function_call": call, "tool_calls": [{"id": "c1", "function": call}]},
    ]

    (row,) = rows_of(read_with(Instructions, written({"messages": messages})))

    made = {"id": None, "type": "function", "function": call}
    other = {**made, "function": {"name": "say", "arguments": '{"what": "No."}'}}
    calls = [message["tool_calls"] for message in row["messages"]]
    assert calls == [None, [made], None, [other], [{**made, "id": "c1"}]]
    assert [message["extra"] for message in row["messages"]] == [None, None, '{"role": "function"}', None, None]
    assert (row["messages"][2]["role"], row["messages"][2]["name"]) == ("tool", "weather")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("the weather", "a function call is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"arguments": "{}"}', "a function call names no function"),
        ('["weather"]', "a function call names no function"),
        ("[]", "a function call names no function"),
        ('{"name": "f", "arguments": {}, "why": 1}', "a function call has why beside name and arguments"),
    ],
)
def test_a_function_call_that_is_none_is_set_aside_with_its_reason(read_with: Read, call: str, reason: str) -> None:
    good = [said("user", HI), said("assistant", YO)]
    openai = {"messages": [*good, {"role": "assistant", "content": None, "function_call": call}]}
    sharegpt = {"conversations": [turn("human", HI), turn("function_call", call), turn("gpt", YO)]}

    data = read_with(Instructions, written({"messages": good}, openai, sharegpt), to="messages")

    assert data.num_rows == 1
    assert [row["detail"] for row in data.removed()] == [f"messages: {reason}", f"conversations: {reason}"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"prompt": "Hi.", "chosen": "Yo.", "rejected": "No."}, (HI, YO, NO)),
        (
            {"conversations": [turn("human", HI)], "chosen": turn("gpt", YO), "rejected": turn("gpt", NO)},
            (HI, YO, NO),
        ),
        (
            {
                "chosen": [said("user", HI), said("assistant", YO)],
                "rejected": [said("user", HI), said("assistant", NO)],
            },
            (HI, YO, NO),
        ),
        (
            {
                "prompt": HI,
                "chosen": [said("user", HI), said("assistant", YO)],
                "rejected": [said("user", HI), said("assistant", NO)],
            },
            (HI, YO, NO),
        ),
        ({"chosen": transcript(HI, YO), "rejected": transcript(HI, NO)}, (HI, YO, NO)),
        (
            {"chosen": transcript(*"ABCD"), "rejected": transcript(*"ABCE")},
            ("\n\nHuman: A\n\nAssistant: B\n\nHuman: C\n\nAssistant:", "D", "E"),
        ),
    ],
)
def test_preferences_become_a_prompt_and_two_answers(
    read_with: Read, record: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    (row,) = rows_of(read_with(Instructions, written(record)))

    assert (row["prompt"], row["chosen"], row["rejected"]) == expected


def test_a_label_makes_it_kto(read_with: Read) -> None:
    (row,) = rows_of(read_with(Instructions, written({"prompt": "Hi.", "completion": "Yo.", "label": False})))

    assert (row["prompt"], row["completion"], row["label"]) == ("Hi.", "Yo.", False)


def test_what_has_no_format_or_no_place_in_the_form_is_set_aside_with_its_reason(read_with: Read) -> None:
    good = {"prompt": "Hi.", "completion": "Yo."}
    records = [
        good,
        {"words": "Hi."},
        {**good, "label": True},
        ["Hi."],
        {"conversations": [{"from": "cat", "value": "x"}]},
    ]

    data = read_with(Instructions, written(*records), to="prompt-completion")

    assert data.num_rows == 1
    details = {row["source"]: row["detail"] for row in data.removed()}
    assert details["a.jsonl:2"] == "no format of instructions has the keys words"
    assert details["a.jsonl:3"] == "the record is of kind kto, which has no place in the form prompt-completion"
    assert details["a.jsonl:4"] == "the record is no object"
    assert details["a.jsonl:5"].startswith("conversations: a turn is from 'cat', expected one of human")


def leaves(value: Any) -> Iterator[str]:
    """Read every value that is no list or object; who speaks is said in other words."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("from", "role"):
                yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield str(value)


def everything(rows: list[dict[str, Any]]) -> str:
    """Return all that rows hold, with the escapes of JSON text undone."""
    told = [str(leaf) for leaf in leaves(rows)]
    within = []
    for leaf in told:
        try:
            within += list(leaves(json.loads(leaf)))
        except ValueError:
            continue
    return "\0".join([*told, *within])


text = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=8).filter(str.strip)
extra = st.dictionaries(st.sampled_from(["id", "lang", "score", "meta"]), text | st.integers(), max_size=3)
turns = st.lists(st.tuples(st.sampled_from(["human", "gpt", "observation", "system"]), text), min_size=1, max_size=4)
records = st.one_of(
    st.builds(lambda a, b, c, e: {"instruction": a, "input": b, "output": c, **e}, text, text, text, extra),
    st.builds(lambda a, b, e: {"prompt": a, "completion": b, **e}, text, text, extra),
    st.builds(
        lambda t, e: {"conversations": [{"from": a, "value": b, **e} for a, b in [*t, ("gpt", "ok")]], **e},
        turns,
        extra,
    ),
    st.builds(lambda a, b, c, e: {"prompt": a, "chosen": b, "rejected": c, **e}, text, text, text, extra),
    st.builds(lambda a, b, e: {"prompt": a, "completion": b, "label": True, **e}, text, text, extra),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(record=records)
def test_nothing_of_a_record_is_lost(read_with: Read, record: dict[str, Any]) -> None:
    data = read_with(Instructions, written(record))

    found = everything(rows_of(data))
    assert data.num_rows == 1
    assert [leaf for leaf in leaves(record) if leaf not in found] == []


def real(path: str) -> Path:
    root = os.environ.get("MLM_REAL_DATA")
    if not root:
        pytest.skip("MLM_REAL_DATA is not set")
    return Path(root) / path


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "count", "format", "column"),
    [
        ("instruct/dummy_conversation.json", 500, "sharegpt", "messages"),
        ("instruct/glaive_toolcall_en_demo.json", 300, "sharegpt", "tools"),
        ("instruct/seed_tasks.jsonl", 175, "self-instruct", "completion"),
        ("preference/dpo_en_demo.json", None, "sharegpt", "rejected"),
        ("preference/hh_harmless_test.jsonl", None, "hh-rlhf", "rejected"),
        ("preference/kto_en_demo.json", 300, "messages", "label"),
    ],
)
def test_published_data_is_read_whole(
    path: str, count: int | None, format: str, column: str, make_context: Callable[[str], mlm.Context]
) -> None:
    file = real(path)
    raw = file.read_text(encoding="utf-8")
    records = json.loads(raw) if file.suffix == ".json" else [json.loads(line) for line in raw.splitlines()]

    data = Instructions(path=file).mlm_read(context=make_context("out"))

    rows = rows_of(data)
    assert len(rows) == len(records) == (count or len(records))
    assert list(data.removed()) == []
    assert Counter(row["format"] for row in rows) == {format: len(rows)}
    assert any(row[column] is not None for row in rows)
    lost = 0
    for row, record in zip(rows, records, strict=True):
        found = everything([row])
        lost += sum(not _told(leaf, found) for leaf in leaves(record))
    assert lost == 0


def _told(leaf: str, found: str) -> bool:
    """Say whether a value stands in a row; a transcript does by its turns, and JSON by its values."""
    if leaf.startswith("\n\nHuman:"):
        return all(
            part.strip() in found
            for part in leaf.replace("\n\nHuman:", "\0").replace("\n\nAssistant:", "\0").split("\0")
        )
    try:
        return leaf in found or all(value in found for value in leaves(json.loads(leaf)))
    except ValueError:
        return False
