"""Conversations are text too: what changes or reads text does so in each message and in what its tools are given."""

from __future__ import annotations

import base64
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trial import TrialProject

import mlm
from mlm.conversations import as_text, as_transcript, pieces, with_pieces
from mlm.transcripts import written

KIND = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("calls", pa.list_(pa.int64()))]))
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": st.none() | st.text(max_size=5), "calls": st.none()}
)
CALL = pa.struct([("id", pa.string()), ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())]))])
CALLING = pa.list_(
    pa.struct(
        {
            **dict.fromkeys(("role", "content", "name", "parts", "reasoning_content"), pa.string()),
            "tool_calls": pa.list_(CALL),
            "function_call": CALL[1].type,
        }
    )
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
JSON = st.builds(json.dumps, VALUE, ensure_ascii=st.booleans(), indent=st.none() | st.just(1))
ARGUMENTS = st.none() | st.text(max_size=6) | JSON
CALLING_MESSAGE = st.fixed_dictionaries(
    {
        "role": st.just("assistant"),
        "content": st.none() | st.text(max_size=5),
        "name": st.none() | st.text(max_size=2),
        "tool_calls": st.none()
        | st.lists(ARGUMENTS.map(lambda a: {"id": "1", "function": {"name": "f", "arguments": a}}), max_size=2),
        "parts": ARGUMENTS,
        "reasoning_content": st.none() | st.text(max_size=5),
        "function_call": st.none() | ARGUMENTS.map(lambda a: {"name": "f", "arguments": a}),
    }
)


def conversations(message: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | st.lists(st.none() | message, max_size=3), max_size=5)


COLUMNS = st.tuples(st.just(KIND), conversations(MESSAGE)) | st.tuples(st.just(CALLING), conversations(CALLING_MESSAGE))


def conversation(*contents: str | None) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content, "calls": [1]} for content in contents]


def batch(*rows: list[dict[str, Any]] | None) -> mlm.Batch:
    ids = [f"r{place}" for place in range(len(rows))]
    return mlm.Batch(pa.table({"row_id": ids, "source": ids, "messages": pa.array(rows, KIND)}))


@settings(deadline=None)
@given(given_rows=COLUMNS, cut=st.integers(0, 2), beside=st.sampled_from(["", "messages"]))
def test_putting_the_same_pieces_back_changes_nothing(given_rows: tuple[Any, list[Any]], cut: int, beside: str) -> None:
    kind, rows = given_rows
    column = pa.chunked_array([pa.array(rows, kind)]).slice(cut)

    assert with_pieces(column, pieces(column, beside).texts, beside).to_pylist() == column.to_pylist()


@settings(deadline=None)
@given(values=st.lists(ARGUMENTS, max_size=5), cut=st.integers(0, 2))
def test_putting_the_same_pieces_back_beside_the_text_changes_nothing(values: list[Any], cut: int) -> None:
    column = pa.chunked_array([pa.array(values, pa.string())]).slice(cut)

    found = pieces(column, "extra")
    assert len(found.texts) == len(found.rows) == len(found.names)
    assert with_pieces(column, found.texts, "extra").to_pylist() == column.to_pylist()


@settings(deadline=None)
@given(given_rows=COLUMNS, cut=st.integers(0, 2))
def test_each_piece_has_its_row_and_each_row_its_text(given_rows: tuple[Any, list[Any]], cut: int) -> None:
    kind, rows = given_rows
    column = pa.chunked_array([pa.array(rows, kind)]).slice(cut)

    found = pieces(column)
    by_row: dict[int, list[str]] = {place: [] for place in range(len(column))}
    for row, text in zip(found.rows, found.texts.to_pylist(), strict=True):
        by_row[int(row)].append(text or "")

    assert as_text(column).to_pylist() == ["\n".join(texts) for texts in by_row.values()]
    said = ["\n".join(map(written, messages or [])) for messages in column.to_pylist()]
    assert as_transcript(column).to_pylist() == said
    assert len(found.names) == len(found.texts)


def marked(given: Any) -> Any:
    """Return a JSON value with every string and number in angle brackets."""
    if isinstance(given, dict):
        return {key: marked(item) for key, item in given.items()}
    if isinstance(given, list):
        return [marked(item) for item in given]
    if given is None or isinstance(given, bool):
        return given
    return f"<{given if isinstance(given, str) else json.dumps(given)}>"


@settings(deadline=None)
@given(value=VALUE, form=st.sampled_from([{}, {"indent": 2}, {"ensure_ascii": False}]))
def test_what_stands_under_the_keys_of_arguments_is_a_piece_and_another_takes_its_place(
    value: Any, form: dict[str, Any]
) -> None:
    message = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": json.dumps(value, **form)}}]}
    column = pa.chunked_array([pa.array([[message]], CALLING)])

    said, *given_over = pieces(column).texts.to_pylist()
    made = with_pieces(column, pa.array([said, *(f"<{text}>" for text in given_over)], pa.string()))

    (call,) = made.to_pylist()[0][0]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == marked(value)


def test_each_message_is_changed_in_its_place_and_its_row_is_named_once() -> None:
    made = batch(conversation("a", "B"), None, conversation("C", None)).map_text(str.upper, "shouted")

    assert made.table["messages"].to_pylist() == [conversation("A", "B"), None, conversation("C", None)]
    assert [(change.reason, change.row_ids) for change in made.changes] == [("shouted", ("r0",))]


def test_a_removed_conversation_keeps_its_text() -> None:
    made = batch(conversation("one", "two"), conversation("three")).remove(["bad", None], "dropped")

    assert [removal.text for removal in made.removals] == ["user: one\nuser: two"]
    assert len(made) == 1


CHAT = """
[data.lessons]
use = "instructions"
path = "lessons.jsonl"
to = "messages"
steps = [{steps}]
"""


def chat(*turns: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)]}


@pytest.fixture
def chats(project: TrialProject) -> TrialProject:
    project.jsonl(
        "lessons.jsonl",
        [
            chat("Write to ann@example.org", "I did.", "Thanks", "Gladly."),
            chat("What is a river?", "Water that flows.", "Where to?", "To the sea."),
            chat("What is a RIVER?", "Water that  flows.", "Where to?", "To the sea."),
            chat("You are a fucking idiot", "No.", "Yes", "No."),
        ],
    )
    return project


def contents(project: TrialProject) -> list[list[str]]:
    rows = project.mlm("data", "sample", "lessons", "-n", "99", "--json").json
    return [[message["content"] for message in row["messages"]] for row in rows]


def test_bundled_transforms_look_into_conversations(chats: TrialProject) -> None:
    chats.write(
        CHAT.replace("{steps}", '"schema", "normalize", "pii", "toxicity", "quality", "exact", "minhash", "validate"')
    )

    chats.run()

    assert contents(chats) == [
        ["Write to <EMAIL>", "I did.", "Thanks", "Gladly."],
        ["What is a river?", "Water that flows.", "Where to?", "To the sea."],
    ]
    removed = chats.mlm("data", "show", "lessons", "--json").json["removed"]
    assert removed == {"toxicity": 1, "duplicate": 1}


def test_a_conversation_that_holds_an_evaluation_row_is_found(chats: TrialProject) -> None:
    steps = '{ use = "decontaminate", against = ["exam"] }'
    exam = '\n[data.exam]\nuse = "pairs"\nrows = { "Tell me now what is a river" = "x" }\n'
    chats.jsonl("lessons.jsonl", [chat("Tell me now: what is a river?", "Water."), chat("Hello", "Hello.")])
    chats.write(CHAT.replace("{steps}", steps) + exam)

    chats.run()

    assert contents(chats) == [["Hello", "Hello."]]


TOKEN = "ghp_" + "aB3dE5" * 6
CALL_OF_ANN = (
    '{"to": "ann\\u0040example.org",  "body": "Hi\\nann@example.org \\u00fc", "cc": [],'
    f' "card": 4111111111111111, "n": 1.50, "token": "{TOKEN}", "password": "hY7fbK2pQx9w"}}'
)
MASKED_CALL = (
    '{"to": "<EMAIL>",  "body": "Hi\\n<EMAIL> ü", "cc": [],'
    ' "card": "<CARD>", "n": 1.50, "token": "<GITHUB>", "password": "<ASSIGNMENT>"}'
)


def calling(arguments: Any) -> dict[str, Any]:
    """Return a conversation in which text and an image are sent, and a tool is called."""
    image = {"type": "image_url", "image_url": {"url": "https://example.org/ann@example.org.png"}}
    return {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "I am ann@example.org"}, image]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "mail", "arguments": arguments}}],
            },
        ]
    }


def masked(project: TrialProject, source: str, arguments: Any) -> tuple[Any, Any]:
    """Run `pii` and `secrets`; return the first message, and the arguments of the call, as they are stored."""
    project.jsonl("lessons.jsonl", [calling(arguments)])
    project.write(
        f'[data.lessons]\nuse = "{source}"\npath = "lessons.jsonl"\nsteps = ["normalize", "pii", "secrets"]\n'
    )
    project.run()
    ((asked, called),) = [row["messages"] for row in project.mlm("data", "sample", "lessons", "--json").json]
    return asked, called["tool_calls"][0]["function"]["arguments"]


def test_personal_data_and_secrets_are_masked_in_tool_calls_and_parts_as_they_are_written(
    project: TrialProject,
) -> None:
    asked, arguments = masked(project, "instructions", CALL_OF_ANN)

    assert arguments == MASKED_CALL
    text, image = json.loads(asked["parts"])
    assert text == {"type": "text", "text": "I am <EMAIL>"}
    assert image["image_url"]["url"] == "https://example.org/<EMAIL>"
    told = project.mlm("data", "sample", "lessons", "--changed", "--json").json
    assert {(row["reason"], row["detail"]) for row in told} >= {
        ("pii", "email; card"),
        ("secrets", "github; assignment"),
    }


@pytest.mark.parametrize("source", ["instructions", "jsonl"])
def test_credentials_of_http_are_masked_in_tool_calls(project: TrialProject, source: str) -> None:
    bearer, basic = "aZ4kQ9x" * 6, base64.b64encode(b"app:tr0ub4dor&3").decode()
    call = {"headers": {"Authorization": f"Bearer {bearer}"}, "curl": f"-H 'Authorization: Basic {basic}'"}

    arguments = masked(project, source, json.dumps(call))[1]

    assert json.loads(arguments) == {
        "headers": {"Authorization": "Bearer <ASSIGNMENT>"},
        "curl": "-H 'Authorization: Basic <ASSIGNMENT>'",
    }


def test_records_that_were_read_as_such_are_masked_too(project: TrialProject) -> None:
    asked, arguments = masked(project, "jsonl", {"to": ["ann@example.org"], "password": "hY7fbK2pQx9w", "n": 1})

    assert arguments == {"to": ["<EMAIL>"], "password": "<ASSIGNMENT>", "n": 1}
    assert [part["text"] for part in asked["content"]] == ["I am <EMAIL>", None]


def test_arguments_that_are_no_json_are_masked_as_text(project: TrialProject) -> None:
    assert masked(project, "instructions", "to: ann@example.org")[1] == "to: <EMAIL>"


MAIL = "ann@example.org"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({name: f"Ask {MAIL}"}, {name: "Ask <EMAIL>"})
        for name in ("reasoning_content", "reasoning", "thinking", "refusal")
    ]
    + [
        (
            {"reasoning": [{"type": "summary_text", "text": MAIL}]},
            {"reasoning": [{"type": "summary_text", "text": "<EMAIL>"}]},
        ),
        (
            {"content": [{"type": "thinking", "thinking": MAIL}]},
            {"content": [{"type": "thinking", "thinking": "<EMAIL>"}]},
        ),
        (
            {"function_call": {"name": "mail", "arguments": f'{{"to": "{MAIL}"}}'}},
            {"function_call": {"name": "mail", "arguments": '{"to": "<EMAIL>"}'}},
        ),
        (
            {"function_call": {"name": "mail", "arguments": {"to": MAIL}}},
            {"function_call": {"name": "mail", "arguments": {"to": "<EMAIL>"}}},
        ),
        (
            {"tool_calls": f'[{{"function": {{"arguments": {{"to": "{MAIL}"}}}}}}]'},
            {"tool_calls": '[{"function": {"arguments": {"to": "<EMAIL>"}}}]'},
        ),
    ],
)
def test_personal_data_in_thoughts_refusals_and_older_calls_are_masked(
    project: TrialProject, more: dict[str, Any], expected: dict[str, Any]
) -> None:
    message = {"role": "assistant", "content": "Done."}
    project.jsonl("lessons.jsonl", [{"messages": [message | more]}])
    project.write('[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\nsteps = ["pii"]\n')

    project.run()

    (row,) = project.mlm("data", "sample", "lessons", "--json").json
    assert row["messages"] == [message | expected]


def test_code_that_a_tool_is_called_with_is_not_normalized(project: TrialProject) -> None:
    code = json.dumps({"code": "if a <b> c:\n    print(  1 )"})

    assert masked(project, "instructions", code)[1] == code


LIGHTS = {"name": "lights_on", "arguments": '{"room": "kitchen", "level": 1}'}
TOOLS = [{"type": "function", "function": {"name": "lights_on"}}]


def lit(call: dict[str, str], *, role: str = "user", tool: str = "hub", tools: Any = TOOLS) -> dict[str, Any]:
    """Return a conversation in which a tool is called, and answers."""
    return {
        "messages": [
            {"role": role, "content": "Do it"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": call}]},
            {"role": "tool", "content": "ok", "name": tool},
        ],
        "tools": tools,
    }


DIFFERENT = [
    lit(LIGHTS),
    lit(LIGHTS | {"name": "lights_off"}),
    lit(LIGHTS | {"arguments": '{"not_room": "kitchen", "level": 1}'}),
    lit(LIGHTS | {"arguments": '{"room": "kitchen", "level": 2}'}),
    lit(LIGHTS, role="system"),
    lit(LIGHTS, tool="lamp"),
    lit(LIGHTS, tools=None),
    lit(LIGHTS, tools=[{"type": "function", "function": {"name": "lights_off"}}]),
]
SAME = lit(LIGHTS | {"arguments": '{"level":1,"room":"Kitchen"}'})


@pytest.mark.parametrize("source", ["instructions", "jsonl"])
@pytest.mark.parametrize("step", ['"exact"', '{ use = "minhash", threshold = 1.0 }'])
def test_conversations_are_equal_where_roles_names_calls_and_tools_are(
    project: TrialProject, step: str, source: str
) -> None:
    project.jsonl("lessons.jsonl", [*DIFFERENT, SAME])
    project.write(f'[data.lessons]\nuse = "{source}"\npath = "lessons.jsonl"\nsteps = [{step}]\n')
    project.run()

    (gone,) = project.mlm("data", "sample", "lessons", "--removed", "--json").json
    assert gone["source"] == "lessons.jsonl:9"


def test_what_is_kept_of_a_removed_conversation_shows_who_called_what(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [lit(LIGHTS), SAME])
    project.write(CHAT.replace("{steps}", '"exact"'))
    project.run()

    (gone,) = project.mlm("data", "sample", "lessons", "--removed", "--json").json
    called = 'lights_on({"level": 1, "room": "Kitchen"})'
    assert gone["text"] == f"user: Do it\nassistant: {called}\ntool (hub): ok"


ANSWERED = "assistant: Done."


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({name: "Dark here."}, "assistant: (thought: Dark here.) Done.")
        for name in ("reasoning_content", "reasoning", "thinking")
    ]
    + [
        ({"refusal": "I may not."}, "assistant: (refusal: I may not.) Done."),
        ({"function_call": LIGHTS}, f'{ANSWERED} lights_on({{"level": 1, "room": "kitchen"}})'),
        ({"function_call": json.dumps(LIGHTS)}, f'{ANSWERED} lights_on({{"level": 1, "room": "kitchen"}})'),
        (
            {"tool_calls": json.dumps([{"id": "1", "function": LIGHTS}])},
            f'{ANSWERED} lights_on({{"level": 1, "room": "kitchen"}})',
        ),
        ({"tool_calls": "lights on"}, f"{ANSWERED} lights on"),
        ({"tool_calls": None, "reasoning": None, "function_call": None}, ANSWERED),
    ],
)
def test_a_transcript_shows_thoughts_refusals_and_calls_in_every_form(more: dict[str, Any], expected: str) -> None:
    assert written({"role": "assistant", "content": "Done."} | more) == expected


def test_conversations_that_differ_in_thoughts_or_older_calls_are_not_equal(project: TrialProject) -> None:
    more = [{"thinking": "Dark."}, {"thinking": "Light."}, {"function_call": LIGHTS}, {"refusal": "Dark."}, {}]
    rows = [{"messages": [{"role": "assistant", "content": "Done."} | one]} for one in (*more, more[0])]
    project.jsonl("lessons.jsonl", rows)
    project.write('[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\nsteps = ["exact"]\n')
    project.run()

    (gone,) = project.mlm("data", "sample", "lessons", "--removed", "--json").json
    assert (gone["source"], gone["text"]) == ("lessons.jsonl:6", "assistant: (thought: Dark.) Done.")


def test_conversations_that_offer_the_same_tools_are_not_near_for_that(project: TrialProject) -> None:
    tools = [{"type": "function", "function": {"name": f"tool_{n}", "description": "Does. " * 9}} for n in range(9)]
    rows = [chat(f"Question {n}: {word * 9}", word * 9) | {"tools": tools} for n, word in enumerate(["river", "moon"])]
    project.jsonl("lessons.jsonl", rows)
    project.write(CHAT.replace("{steps}", '"minhash"'))
    project.run()

    assert len(contents(project)) == 2


def test_who_says_something_is_searched_too(project: TrialProject) -> None:
    said = {"role": "user", "content": "Hello", "name": "ann@example.org"}
    key = {"role": "assistant", "content": "Hello.", "name": TOKEN}
    project.jsonl("lessons.jsonl", [{"messages": [said, key, {"role": "user", "content": "Bye"}]}])
    project.write(CHAT.replace("{steps}", '"pii", "secrets"'))
    project.run()

    (row,) = project.mlm("data", "sample", "lessons", "--json").json
    assert [message["name"] for message in row["messages"]] == ["<EMAIL>", "<GITHUB>", None]


def test_a_dropped_kind_in_a_tool_call_removes_the_row(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [calling(CALL_OF_ANN), chat("Hello", "Hello.")])
    project.write(CHAT.replace("{steps}", '{ use = "pii", policy = { card = "drop" } }'))
    project.run()

    assert contents(project) == [["Hello", "Hello."]]
    (gone,) = project.mlm("data", "sample", "lessons", "--removed", "--json").json
    assert (gone["reason"], gone["detail"]) == ("pii", "card")
    assert "4111" not in str(gone)
    assert "ann@" not in str(gone)


def test_an_evaluation_row_in_a_tool_call_is_found(project: TrialProject) -> None:
    steps = '{ use = "decontaminate", against = ["exam"] }'
    exam = '\n[data.exam]\nuse = "pairs"\nrows = { "Tell me now what is a river" = "x" }\n'
    project.jsonl("lessons.jsonl", [calling('{"query": "Tell me now, what is a river?"}'), chat("Hello", "Hello.")])
    project.write(CHAT.replace("{steps}", steps) + exam)

    project.run()

    assert contents(project) == [["Hello", "Hello."]]
