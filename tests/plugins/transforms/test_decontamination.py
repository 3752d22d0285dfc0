"""Rows that hold evaluation items are found, with evidence; what only resembles them stays."""

from __future__ import annotations

import csv
import os
import random
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.transforms.decontaminate import Decontaminate

QUESTION = "Which of the seven provinces of Velmara has no access to the inland sea at all?"
LONG = " ".join(f"word{n}" for n in range(40))


def details(made: mlm.Dataset) -> dict[str, str]:
    assert {row["reason"] for row in made.removed()} <= {"contamination"}
    return {row["row_id"]: row["detail"] for row in made.removed()}


def test_the_evidence_names_the_row_its_dataset_and_how_much_of_it(apply: Any, store: Any) -> None:
    held_out = evolve(store({"prompt": ["What is X?", QUESTION, LONG]}), ref="quality@2")
    other = evolve(store({"text": ["A held-out text."]}), ref="texts@1", split="train")

    made = apply(
        Decontaminate(against=[held_out, other]),
        {
            "prompt": ["what is  X", f"Tell me: {QUESTION.upper()}", "Where is X?", "a held out text", "!!!"],
            "completion": ["a", "b", LONG.rsplit(" ", 6)[0], "c", "d"],
        },
    )

    assert details(made) == {
        "r0": "holds all 3 words of row r0 of quality@2",
        "r1": "holds all 16 words of row r1 of quality@2",
        "r2": "holds 27 of the 33 runs of 8 words of row r2 of quality@2",
        "r3": "holds all 4 words of row r0 of texts@1/train",
    }


def test_a_question_that_occurs_anywhere_must_be_the_whole_text(apply: Any, store: Any) -> None:
    against = [store({"prompt": ["Why is that?", "Why is that so and not otherwise?"]})]
    rows = {"text": ["Why is that?", "One asks: why is that?", "One asks: why is that so and not otherwise? Indeed."]}

    assert details(apply(Decontaminate(against=against), rows)).keys() == {"r0", "r2"}
    assert details(apply(Decontaminate(against=against, shortest=3), rows)).keys() == {"r0", "r1", "r2"}


def test_gpt3_asks_for_one_run_and_palm_for_seven_in_ten(apply: Any, store: Any) -> None:
    against = [store({"text": [LONG]})]
    some = " ".join(LONG.split()[5:20])
    rows = {"text": [f"before {some} after", f"before {' '.join(LONG.split()[:30])} after"]}

    assert details(apply(Decontaminate(against=against, ngram=13, share=0), rows)) == {
        "r0": "holds 3 of the 28 runs of 13 words of row r0 of in0",
        "r1": "holds 18 of the 28 runs of 13 words of row r0 of in0",
    }
    assert details(apply(Decontaminate(against=against), rows)) == {}
    assert details(apply(Decontaminate(against=against, share=0.65), rows)).keys() == {"r1"}


def test_the_row_with_the_largest_part_is_named_and_the_others_are_counted(apply: Any, store: Any) -> None:
    against = [store({"text": [LONG, LONG.rsplit(" ", 5)[0], "one two three four five six"]})]

    made = apply(Decontaminate(against=against), {"text": [LONG + " one two three four five six"]})

    assert details(made) == {"r0": "holds all 40 words of row r0 of in0, and 2 more held-out rows"}


letters = st.characters(codec="utf-8", categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F)
item = st.lists(st.text(letters, min_size=1, max_size=8), min_size=1, max_size=20)
gap = st.sampled_from([" ", "  ", "\n", ", ", " - ", "\u00a0", "!\t", "'"])
near_enough = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@near_enough
@given(words=item, data=st.data())
def test_every_planted_copy_is_found_whatever_its_case_and_spaces(
    words: list[str], data: Any, apply: Any, store: Any
) -> None:
    against = [store({"prompt": [" ".join(words)]})]
    gaps = data.draw(st.lists(gap, min_size=len(words) + 1, max_size=len(words) + 1))
    cased = [data.draw(st.sampled_from([w, w.swapcase() if w.swapcase().swapcase() == w else w])) for w in words]
    copy = "".join(g + w for g, w in zip(gaps, cased, strict=False)) + gaps[-1]
    filler = " ".join(random.Random(1).choices(["lorem", "ipsum", "dolor", "sit"], k=30))

    made = apply(Decontaminate(against=against, shortest=1), {"text": [copy, f"{filler}{copy}{filler}"]})

    assert details(made).keys() == {"r0", "r1"}


def test_scripts_without_spaces_are_compared_by_their_characters(apply: Any, store: Any) -> None:
    against = [store({"text": ["\u8fd9\u4e2a\u56fd\u5bb6\u7684\u9996\u90fd\u662f\u54ea\u91cc\uff1f"]})]
    held = "\u8bf7\u95ee\uff0c\u8fd9\u4e2a\u56fd\u5bb6\u7684 \u9996\u90fd\u662f\u54ea\u91cc"

    assert details(
        apply(Decontaminate(against=against), {"text": [held, "\u9996\u90fd\u662f\u54ea\u91cc"]})
    ).keys() == {"r0"}


def test_a_paraphrase_is_out_of_reach(apply: Any, store: Any) -> None:
    against = [store({"prompt": [QUESTION]})]
    rows = {"prompt": ["Name the one of Velmara's seven provinces without a coast on the inland sea."]}

    assert details(apply(Decontaminate(against=against), rows)) == {}


LEAKED = {
    "college_physics_dev:1": "college_physics_val:5",  # word for word
    "formal_logic_dev:3": "formal_logic_val:12",  # the same task with other formulas
    "high_school_european_history_dev:1": "high_school_european_history_val:3",  # another question on the same excerpt
    "high_school_us_history_dev:0": "high_school_us_history_val:15",
    "high_school_us_history_dev:2": "high_school_us_history_val:8",
    "high_school_us_history_dev:3": "high_school_us_history_val:0",
    "high_school_world_history_dev:3": "high_school_world_history_val:25",
}
GENERAL = {
    # "Which of the following is a correct statement?" and the like, which longer questions end or begin with.
    "high_school_physics_dev:1": "high_school_microeconomics_val:23",
    "high_school_statistics_dev:0": "high_school_microeconomics_val:23",
    "nutrition_dev:1": "nutrition_val:1",
}


@pytest.mark.real
def test_the_overlaps_of_two_parts_of_mmlu_are_named(apply: Any, store: Any) -> None:
    folder = os.environ.get("MLM_REAL_DATA")
    if not folder:
        pytest.skip("MLM_REAL_DATA is not set")
    parts = {}
    for part in ("dev", "val"):
        ids, questions = [], []
        for file in sorted((Path(folder) / "eval" / f"mmlu_{part}").glob("*.csv")):
            with open(file, encoding="utf-8", newline="") as lines:
                for number, row in enumerate(csv.reader(lines)):
                    ids.append(f"{file.stem}:{number}")
                    questions.append(row[0])
        parts[part] = {"row_id": ids, "prompt": questions}
    against = evolve(store(parts["val"]), ref="mmlu_val")

    def found(**settings: int) -> dict[str, str]:
        told = details(apply(Decontaminate(against=[against], **settings), parts["dev"]))
        return {row_id: detail.partition(" of row ")[2].partition(" ")[0] for row_id, detail in told.items()}

    assert found() == LEAKED | GENERAL
    assert found(shortest=9) == LEAKED
