"""Rows can be followed: what a dataset holds, how two versions differ, where a row went and why."""

from __future__ import annotations

from typing import Any

import pytest
from trial import TrialProject

PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = ["schema", "shout", { use = "drop", word = "BAD" }]

[data.mixed]
use = "mix"
inputs = ["lessons"]

[training.chat]
use = "memory"
data = "mixed"
"""
ROWS: list[dict[str, Any]] = [
    {"prompt": "one", "completion": "1"},
    {"prompt": "two", "completion": ""},
    {"prompt": "bad", "completion": "3"},
    {"prompt": "four", "completion": "4"},
]


@pytest.fixture
def followed(project: TrialProject) -> TrialProject:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT)
    project.run()
    return project


def ids(project: TrialProject, *options: str) -> dict[str, str]:
    """Return ids of rows by the first word of their text."""
    rows = project.mlm("data", "sample", "lessons", "--json", "-n", "99", *options).json
    return {(row.get("prompt") or row["text"]).split()[0].lower(): row["row_id"] for row in rows}


def test_show_tells_columns_chain_and_first_rows(followed: TrialProject) -> None:
    found = followed.mlm("data", "show", "lessons", "--json", "--rows", "1").json

    assert found["ref"] == "lessons@1"
    assert found["rows"] == {"train": 2}
    assert [(c["name"], c["type"], c["nulls"]) for c in found["columns"]] == [
        ("row_id", "string", 0), ("source", "string", 0), ("prompt", "string", 0), ("completion", "string", 0),
    ]  # fmt: skip
    assert [(link["step"], link["rows_in"], link["rows_out"]) for link in found["chain"]] == [
        ("jsonl", 4, 4), ("schema", 4, 3), ("shout", 3, 3), ("drop", 3, 2),
    ]  # fmt: skip
    assert found["removed"] == {"schema": 1, "dropped": 1}
    assert found["changed"] == {"shouted": 3}
    assert [row["prompt"] for row in found["first"]] == ["ONE"]


def test_the_lengths_of_texts_are_counted_after_each_pass(followed: TrialProject) -> None:
    chain = followed.mlm("data", "show", "lessons", "--json").json["chain"]

    # Characters of prompt and completion together: 4, 3, 4, 5.
    assert chain[0]["lengths"] == {"2": 1, "4": 3}
    assert chain[-1]["lengths"] == {"4": 2}


def test_why_follows_a_row_that_stayed_to_what_learned_from_it(followed: TrialProject) -> None:
    row = ids(followed)["one"]

    first, mixed = followed.mlm("data", "why", row, "--json").json

    assert (first["dataset"], first["split"], first["source"]) == ("lessons@1", "train", "lessons.jsonl:1")
    assert first["file"].endswith("/lessons.jsonl:1")
    assert [(stop["step"], stop["happened"], stop["reason"]) for stop in first["stops"]] == [
        ("jsonl", "read", ""), ("schema", "kept", ""), ("shout", "changed", "shouted"), ("drop", "kept", ""),
    ]  # fmt: skip
    assert first["text"] == "ONE\n1"
    assert first["used_by"] == ["mixed@1"]
    assert mixed["dataset"] == "mixed@1"
    assert mixed["used_by"] == ["chat@1"]


def test_why_tells_who_dropped_a_row(followed: TrialProject) -> None:
    row = ids(followed, "--removed", "--reason", "dropped")["bad"]

    [way] = followed.mlm("data", "why", row, "--json").json

    assert way["split"] == ""
    assert [(stop["step"], stop["happened"], stop["reason"]) for stop in way["stops"]] == [
        ("jsonl", "read", ""), ("schema", "kept", ""), ("shout", "changed", "shouted"), ("drop", "removed", "dropped"),
    ]  # fmt: skip
    assert way["stops"][-1]["detail"] == "BAD"
    assert way["text"] == "BAD\n3"


def test_why_names_a_row_that_nobody_has_seen(followed: TrialProject) -> None:
    answer = followed.mlm("data", "why", "nobody")

    assert answer.code == 1
    assert "no row 'nobody' in any stored dataset" in answer.error


def test_why_takes_where_a_row_was_read_from(followed: TrialProject) -> None:
    row = ids(followed)["one"]

    for source in ("lessons.jsonl:1", followed.folder / "lessons.jsonl:1"):
        assert [way["row_id"] for way in followed.mlm("data", "why", source, "--json").json] == [row, row]
    [dropped] = followed.mlm("data", "why", "lessons.jsonl:3", "--json").json
    assert dropped["stops"][-1]["reason"] == "dropped"
    assert followed.mlm("data", "why", "lessons.jsonl").code == 1


def test_why_takes_the_beginning_of_one_id(followed: TrialProject) -> None:
    row = ids(followed)["one"]
    others = [*ids(followed).values(), *ids(followed, "--removed").values()]
    start = next(row[:n] for n in range(1, len(row)) if sum(other.startswith(row[:n]) for other in others) == 1)

    assert {way["row_id"] for way in followed.mlm("data", "why", start, "--json").json} == {row}


def test_why_lists_rows_where_several_ids_begin_so(project: TrialProject) -> None:
    # 17 ids of 16 digits: two begin with the same.
    project.jsonl("lessons.jsonl", [{"text": f"row {n}"} for n in range(17)])
    project.write('[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"')
    project.run()
    rows = project.mlm("data", "sample", "lessons", "-n", "17", "--json").json
    firsts = [row["row_id"][0] for row in rows]
    start = max(firsts, key=firsts.count)

    answer = project.mlm("data", "why", start)

    assert answer.code == 1
    assert answer.error.startswith(f"Error: several ids begin with '{start}': {start}")
    some = [row for row in rows if row["row_id"].startswith(start)][:3]
    assert all(f"{row['row_id']} at {row['source']}" in answer.error for row in some)


def test_a_model_is_no_dataset(followed: TrialProject) -> None:
    answer = followed.mlm("data", "show", "chat")

    assert answer.code == 1
    assert answer.error == "Error: chat@1 is a model, expected a dataset"


def test_diff_tells_rows_added_removed_and_changed_with_reasons(followed: TrialProject) -> None:
    followed.jsonl("lessons.jsonl", [*ROWS[:3], {"prompt": "five", "completion": "5"}])
    followed.change('word = "BAD"', 'word = "ONE"')
    followed.run("lessons")

    found = followed.mlm("data", "diff", "lessons@1", "lessons@2", "--json").json
    told = followed.mlm("data", "diff", "lessons@1", "lessons@2").out

    assert "\n  1 removed by drop: dropped\n  1 not in the source any more\n" in told
    assert (found["rows"], found["added"], found["removed"], found["changed"], found["same"]) == ([2, 2], 2, 2, 0, 0)
    assert found["removed_because"] == {"drop: dropped": 1, "not in the source any more": 1}
    assert {(one["after"], one["source"]) for one in found["examples"]["added"]} == {
        ("BAD\n3", "lessons.jsonl:3"), ("FIVE\n5", "lessons.jsonl:4"),
    }  # fmt: skip
    assert {one["before"]: one["reason"] for one in found["examples"]["removed"]} == {
        "ONE\n1": "drop: dropped: ONE", "FOUR\n4": "not in the source any more",
    }  # fmt: skip


def test_a_row_that_the_chain_treats_otherwise_is_a_changed_one(followed: TrialProject) -> None:
    followed.change('"shout", ', "")
    followed.run("lessons")

    found = followed.mlm("data", "diff", "lessons@1", "lessons@2", "--json").json

    assert (found["added"], found["removed"], found["changed"]) == (1, 0, 2)
    assert {(one["before"], one["after"]) for one in found["examples"]["changed"]} == {
        ("ONE\n1", "one\n1"), ("FOUR\n4", "four\n4"),
    }  # fmt: skip


def test_of_a_changed_row_the_columns_that_are_not_the_same_are_shown(project: TrialProject) -> None:
    (project.folder / "words.txt").write_text("word", encoding="utf-8")
    project.jsonl("lessons.jsonl", [{"text": "word " * 90 + "e\u0301nd"}])
    project.write("""
        [data.lessons]
        use = "jsonl"
        path = "lessons.jsonl"
        steps = [{ use = "label", rules = { spam = "words.txt" } }]
    """)
    project.run()
    project.change('[{ use = "label", rules = { spam', '["normalize", { use = "label", rules = { ham')
    project.run()

    told = project.mlm("data", "diff", "lessons@1", "lessons@2").out
    whole = project.mlm("data", "diff", "lessons@1", "lessons@2", "--full").out

    assert "  - label: spam\n  + label: ham\n" in told
    assert [line[-6:] for line in told.splitlines() if "text:" in line] == ["d e\u0301nd", "rd \u00e9nd"]
    assert max(map(len, told.splitlines())) < 200
    assert "+ text: " + "word " * 90 + "\u00e9nd\n" in whole


def test_a_changed_row_is_shown_beside_what_the_version_before_held(followed: TrialProject) -> None:
    followed.change('"shout", ', "")
    followed.run("lessons")
    followed.change('"schema", ', '"schema", "shout", ')
    followed.change('word = "BAD"', 'word = "BAD!"')
    followed.run("lessons")

    told = followed.mlm("data", "sample", "lessons@3", "--changed").out

    assert "  - prompt: one\n  + prompt: ONE\n" in told


def test_a_changed_row_that_was_dropped_later_is_shown_as_far_as_it_was_kept(followed: TrialProject) -> None:
    told = followed.mlm("data", "sample", "lessons", "--changed").out

    assert "  lessons.jsonl:3  shout: shouted\n  removed_by  drop: dropped: BAD\n  text        BAD | 3\n" in told


def test_messages_are_shown_as_who_says_what_and_calls_what(project: TrialProject) -> None:
    call = {"type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    said = [{"role": "user", "content": "Rain?"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    project.jsonl("talks.jsonl", [{"messages": said}])
    project.write('[data.talks]\nuse = "instructions"\npath = "talks.jsonl"')
    project.run()
    [row] = project.mlm("data", "sample", "talks", "--json").json

    told = [project.mlm("data", *words).out for words in (("sample", "talks"), ("why", row["row_id"]))]

    assert all('user: Rain? | assistant: weather({"city": "Oslo"})\n' in one for one in told)


def test_a_sample_is_drawn_by_reason_and_by_seed(followed: TrialProject) -> None:
    dropped = followed.mlm("data", "sample", "lessons", "--removed", "--reason", "dropped", "--json").json
    changed = followed.mlm("data", "sample", "lessons", "--changed", "--step", "shout", "--json").json
    once, again = (followed.mlm("data", "sample", "lessons", "-n", "1", "--seed", "3").out for _ in range(2))

    assert [(row["text"], row["step"]) for row in dropped] == [("BAD\n3", "drop")]
    assert {(row.get("prompt"), row["reason"]) for row in changed} == {
        ("ONE", "shouted"), ("FOUR", "shouted"), (None, "shouted"),
    }  # fmt: skip
    assert once == again


def test_a_reason_that_no_row_has_is_answered_with_those_that_there_are(followed: TrialProject) -> None:
    answer = followed.mlm("data", "sample", "lessons", "--removed", "--reason", "droped")

    assert answer.code == 1
    assert answer.error == (
        "Error: no row of lessons was removed for 'droped' (by transform and reason: schema: schema 1, drop: dropped 1)"
        "; did you mean 'dropped'?"
    )
    assert "by 'shot' (by transform" in followed.mlm("data", "sample", "lessons", "--changed", "--step", "shot").error


def test_a_sample_shows_whole_texts_where_it_is_asked_to(project: TrialProject) -> None:
    text = "\n".join(["a long line of words"] * 20)
    project.jsonl("lessons.jsonl", [{"text": text}])
    project.write('[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"')
    project.run()

    assert project.mlm("data", "sample", "lessons").out.count("a long line of words") < 10
    assert project.mlm("data", "sample", "lessons", "--full").out.count("a long line of words\n") == 20


def test_rows_are_counted_by_the_rule_of_quality_that_removed_them(project: TrialProject) -> None:
    project.jsonl("texts.jsonl", [{"text": "One. Two."}, {"text": "Lorem ipsum. A. B. C. D. E."}, {"text": "A. " * 9}])
    project.write('[data.texts]\nuse = "jsonl"\npath = "texts.jsonl"\nsteps = [{ use = "quality", rules = ["c4"] }]')
    project.run()

    assert project.mlm("data", "show", "texts", "--json").json["removed"] == {
        "c4.min_sentences": 1, "c4.max_lorem_ipsum": 1,
    }  # fmt: skip
    assert "c4.max_lorem_ipsum 1, c4.min_sentences 1" in project.mlm("data", "show", "texts").out
    [row] = project.mlm("data", "sample", "texts", "--removed", "--reason", "c4.min_sentences", "--json").json
    assert (row["text"], row["detail"]) == ("One. Two.", "c4.min_sentences 2 < 5; score 0.40")
    told = project.mlm("data", "sample", "texts", "--removed", "--reason", "c4.min_sentences").out
    assert "texts.jsonl:1  quality: c4.min_sentences 2 < 5; score 0.40\n" in told


@pytest.mark.parametrize(
    "stopping",
    [
        pytest.param('{ use = "validate", min_rows = 3 }', id="a contract is broken"),
        pytest.param('{ use = "drop", word = "O" }', id="no row is left in the same pass"),
        pytest.param('"exact", { use = "drop", word = "O" }', id="no row is left in another pass"),
    ],
)
def test_what_a_step_that_failed_had_removed_can_be_looked_at(project: TrialProject, stopping: str) -> None:
    project.jsonl("lessons.jsonl", ROWS)
    project.write(PROJECT.replace('word = "BAD" }', f'word = "BAD" }}, {stopping}'))
    failed = project.mlm("run", "lessons")
    assert "`mlm data sample lessons --removed --unfinished` shows rows that it had removed" in failed.out

    rows = project.mlm("data", "sample", "lessons", "--removed", "--unfinished", "--json", "-n", "99").json

    assert {row["reason"] for row in rows} == {"schema", "dropped"}
    assert {row["text"].split()[0] for row in rows} >= {"two", "BAD"}
    unknown = project.mlm("data", "sample", "lessons", "--removed", "--unfinished", "--reason", "toxic").error
    assert "schema: schema 1, drop: dropped" in unknown


def test_what_ended_well_left_nothing_unfinished(followed: TrialProject) -> None:
    told = {
        step: followed.mlm("data", "sample", step, "--removed", "--unfinished").error for step in ("lessons", "nobody")
    }

    assert told == {
        "lessons": "Error: step 'lessons' left no rows unfinished: its last try is 'ran'",
        "nobody": "Error: step 'nobody' left no rows unfinished: it was never tried",
    }


def test_show_tells_how_many_rows_others_had_that_it_was_compared_with(project: TrialProject) -> None:
    project.write("""
        [data.exam]
        use = "pairs"
        rows = { "one" = "1", "two" = "2" }
        steps = [{ use = "split", test = 0.5 }]

        [data.lessons]
        use = "pairs"
        rows = { "three" = "3" }
        steps = [{ use = "decontaminate", against = ["exam", "exam/test"] }]
    """)
    project.run()

    assert project.mlm("data", "show", "lessons", "--json").json["inputs"] == [
        {"role": "against", "ref": "exam@1", "split": "", "rows": 2},
        {"role": "against", "ref": "exam@1", "split": "test", "rows": 1},
    ]
    assert "against exam@1/test, 1 row\n" in project.mlm("data", "show", "lessons").out


def test_reasons_are_of_rows_that_went_or_were_changed(followed: TrialProject) -> None:
    assert followed.mlm("data", "sample", "lessons", "--reason", "dropped").code == 2


def test_the_verbs_print_for_people(followed: TrialProject) -> None:
    row = ids(followed, "--removed", "--reason", "dropped")["bad"]

    shown = followed.mlm("data", "show", "lessons").out
    way = followed.mlm("data", "why", row).out

    assert "schema 1" in shown
    assert "in lessons@1, removed" in way
    assert "drop            removed  dropped: BAD" in way


def test_what_a_terminal_would_obey_is_written_out(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"prompt": "a\x1b[2Jb\u202ec", "completion": "d\x07\te", "\x9bkey": "f"}])
    project.write('[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\n')
    project.run()

    shown, full = project.mlm("data", "show", "lessons").out, project.mlm("data", "sample", "lessons", "--full").out

    for text in (shown, full):
        assert r"a\x1b[2Jb\u202ec" in text
        assert "d\\x07\te" in text
        assert not set(text) & set("\x1b\x07\u202e\x9b")
    assert r"\x9bkey" in shown
