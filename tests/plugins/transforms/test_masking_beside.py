"""Personal data and secrets beside the text: in tools, in extra, and in the fields of a message that nobody says."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from trial import TrialProject

import mlm
from mlm_plugins.transforms.pii import Pii
from mlm_plugins.transforms.secrets import Secrets

MAIL, CARD, TOKEN = "ann@example.org", 4111111111111111, "ghp_" + "aB3dE5" * 6
EXTRA = f'{{"by": "{MAIL}",  "card": {CARD}, "n": 1.50, "\\u0061nn\\u0040example.org": [1, "{MAIL}"], "none": null}}'
MASKED = '{"by": "<EMAIL>",  "card": "<CARD>", "n": 1.50, "<EMAIL>": [1, "<EMAIL>"], "none": null}'


def extra(made: mlm.Dataset, column: str = "extra") -> list[Any]:
    return [row[column] for row in made.rows()]


@pytest.mark.parametrize("column", ["extra", "metadata", "tools"])
def test_json_beside_the_text_is_masked_and_what_holds_nothing_stays_as_it_was_written(apply: Any, column: str) -> None:
    plain = '{"a":  1e5, "b": [true, "\\u00fc"]}'

    made = apply(Pii(), {"text": ["x", "y", "z", "w"], column: [EXTRA, plain, None, f"by {MAIL}"]})

    assert extra(made, column) == [MASKED, plain, None, "by <EMAIL>"]
    (change,) = json.loads((made.path / "statistics.json").read_text())["changed"].items()
    assert change == ("pii", 2)


def test_records_beside_the_text_are_masked(apply: Any) -> None:
    rows = [{"by": {"mail": MAIL}, "asked": [f"Am I {MAIL}?"], "password": "hY7fbK2pQx9w", "n": 7}]

    made = apply(Pii(), {"text": ["x"], "extra": rows})

    assert extra(made) == [rows[0] | {"by": {"mail": "<EMAIL>"}, "asked": ["Am I <EMAIL>?"]}]
    assert extra(apply(Secrets(), {"text": ["x"], "extra": rows})) == [rows[0] | {"password": "<ASSIGNMENT>"}]


def test_json_within_json_stays_json(apply: Any) -> None:
    made = apply(Pii(), {"text": ["x"], "extra": [json.dumps({"raw": json.dumps({"card": CARD})})]})

    assert json.loads(json.loads(extra(made)[0])["raw"]) == {"card": "<CARD>"}


def test_keys_that_become_the_same_are_told_apart(apply: Any) -> None:
    made = apply(
        Pii(), {"text": ["x"], "extra": ['{"ann@example.org": 1, "bob@example.org": 2, "eve@example.org": 3}']}
    )

    assert json.loads(extra(made)[0]) == {"<EMAIL>": 1, "<EMAIL> 2": 2, "<EMAIL> 3": 3}


def test_equal_values_have_equal_digests_beside_the_text_too(apply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "one")
    transform = Pii(policy={"email": "hash"}, key=mlm.Secret("KEY"))

    (row,) = apply(transform, {"text": [MAIL], "extra": [json.dumps({"by": MAIL})]}).rows()

    assert json.loads(row["extra"]) == {"by": row["text"]}


def test_a_row_is_dropped_for_what_is_beside_its_text(apply: Any) -> None:
    made = apply(Pii(policy={"card": "drop"}), {"text": ["x", "y"], "extra": [json.dumps({"n": CARD}), None]})

    assert [row["text"] for row in made.rows()] == ["y"]
    (gone,) = made.removed()
    assert (gone["reason"], gone["detail"]) == ("pii", "card")


TALK = {
    "messages": [
        {"role": "user", "content": "Do it", "annotations": [{"note": f"for {MAIL}"}]},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": f"Ask {MAIL}",
            "tool_calls": [
                {
                    "id": MAIL,
                    "type": "function",
                    "function": {"name": f"mail {MAIL}", "arguments": json.dumps({MAIL: CARD, "n": 1})},
                }
            ],
        },
        {"role": "tool", "content": "Done.", "tool_call_id": MAIL},
        {"role": "assistant", "content": "Done."},
    ],
    "tools": [{"type": "function", "function": {"name": "mail", "description": f"Writes to {MAIL}"}}],
    "user": "ann@home.example",
    "origin": {"asked_by": MAIL, "token": TOKEN},
}


def stored(project: TrialProject, source: str) -> dict[str, Any]:
    """Return a conversation after `pii` and `secrets`, as it is stored."""
    project.jsonl("talks.jsonl", [TALK])
    project.write(f'[data.talks]\nuse = "{source}"\npath = "talks.jsonl"\nsteps = ["pii", "secrets"]\n')
    project.run()
    (row,) = project.mlm("data", "sample", "talks", "--json").json
    return dict(row)


@pytest.mark.parametrize("source", ["instructions", "jsonl"])
def test_nothing_of_a_conversation_holds_what_was_masked(project: TrialProject, source: str) -> None:
    row = stored(project, source)

    left = {name: value for name, value in row.items() if name != "origin"}
    assert MAIL not in json.dumps(left)
    asked, called, answered, _ = row["messages"]
    (call,) = called["tool_calls"]
    assert call["id"] == answered["tool_call_id"] == "<EMAIL>"
    assert call["function"] == {"name": "mail <EMAIL>", "arguments": '{"<EMAIL>": "<CARD>", "n": 1}'}
    assert "for <EMAIL>" in json.dumps(asked)
    assert row["user"] == "ann@home.example"
    if source == "instructions":
        assert json.loads(row["extra"]) == {"origin": {"asked_by": "<EMAIL>", "token": "<GITHUB>"}}


def test_what_was_found_beside_the_text_is_told(project: TrialProject) -> None:
    row = stored(project, "instructions")
    project.change('["pii", "secrets"]', "[]")
    project.run()

    changed = project.mlm("data", "sample", "talks@1", "--changed", "--json").json
    assert {(one["reason"], one["detail"]) for one in changed} == {
        ("pii", "email; card; email in tools; email in extra"),
        ("secrets", "github in extra"),
    }
    why = project.mlm("data", "why", row["row_id"], "--in", "talks@1").out
    assert "email in tools; email in extra" in why
    (difference,) = project.mlm("data", "diff", "talks@2", "talks@1", "--json").json["examples"]["changed"]
    assert {"messages", "tools", "extra"} == set(difference["columns"])
    assert "<EMAIL>" in difference["columns"]["extra"][1]


WHOM = '{"user": {"mail": "ann@example.org"}, "metadata": {"user_id": "ann@example.org"}, "by": "ann@example.org"}'


def test_a_person_is_found_by_the_keys_that_erasure_looks_at_after_redaction(project: TrialProject) -> None:
    project.jsonl("talks.jsonl", [{"text": "one", "extra": WHOM}, {"text": "two", "extra": "{}"}])
    project.write('[data.talks]\nuse = "jsonl"\npath = "talks.jsonl"\nsteps = ["pii"]\n')
    project.run()
    (row, _) = project.mlm("data", "sample", "talks", "--json").json
    assert row["extra"] == WHOM.replace('"by": "ann@example.org"', '"by": "<EMAIL>"')

    done = project.mlm("erase", "--subject", MAIL, "--reason", "asked to", "--yes", "--json")

    assert done.json[0]["certificate"]["rows"] == 1
    assert [one["text"] for one in project.mlm("data", "sample", "talks", "--json").json] == ["two"]


def test_the_keys_of_a_map_are_masked() -> None:
    kind = pa.map_(pa.string(), pa.string())
    table = pa.table({"row_id": ["a"], "source": ["s"], "text": ["x"], "extra": pa.array([[(MAIL, MAIL)]], kind)})
    context: Any = None

    made = Pii().mlm_map(mlm.Batch(table), context)

    assert made.table["extra"].to_pylist() == [[("<EMAIL>", "<EMAIL>")]]
    assert made.table.schema == table.schema
