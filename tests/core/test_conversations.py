"""Conversations are text too: what changes or reads text does so in the content of each message."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trial import TrialProject

import mlm
from mlm.conversations import as_text, pieces, rows_of, with_pieces

KIND = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("calls", pa.list_(pa.int64()))]))
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": st.none() | st.text(max_size=5), "calls": st.none()}
)
CONVERSATIONS = st.lists(st.none() | st.lists(MESSAGE, max_size=3), max_size=5)


def conversation(*contents: str | None) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content, "calls": [1]} for content in contents]


def batch(*rows: list[dict[str, Any]] | None) -> mlm.Batch:
    ids = [f"r{place}" for place in range(len(rows))]
    return mlm.Batch(pa.table({"row_id": ids, "source": ids, "messages": pa.array(rows, KIND)}))


@settings(deadline=None)
@given(rows=CONVERSATIONS, cut=st.integers(0, 2))
def test_putting_the_same_pieces_back_changes_nothing(rows: list[Any], cut: int) -> None:
    column = pa.chunked_array([pa.array(rows, KIND)]).slice(cut)

    assert with_pieces(column, pieces(column)).to_pylist() == column.to_pylist()


@settings(deadline=None)
@given(rows=CONVERSATIONS, cut=st.integers(0, 2))
def test_each_piece_has_its_row_and_each_row_its_text(rows: list[Any], cut: int) -> None:
    column = pa.chunked_array([pa.array(rows, KIND)]).slice(cut)

    found: dict[int, list[str]] = {place: [] for place in range(len(column))}
    for row, text in zip(rows_of(column), pieces(column).to_pylist(), strict=True):
        found[int(row)].append(text or "")

    assert as_text(column).to_pylist() == ["\n".join(texts) for texts in found.values()]


def test_each_message_is_changed_in_its_place_and_its_row_is_named_once() -> None:
    made = batch(conversation("a", "B"), None, conversation("C", None)).map_text(str.upper, "shouted")

    assert made.table["messages"].to_pylist() == [conversation("A", "B"), None, conversation("C", None)]
    assert [(change.reason, change.row_ids) for change in made.changes] == [("shouted", ("r0",))]


def test_a_removed_conversation_keeps_its_text() -> None:
    made = batch(conversation("one", "two"), conversation("three")).remove(["bad", None], "dropped")

    assert [removal.text for removal in made.removals] == ["one\ntwo"]
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
