"""Paragraphs and lines that were seen before go; the first stays."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.transforms.paragraphs import Paragraphs

ONE, TWO, THREE = (f"This is the {name} paragraph of the page." for name in ("first", "second", "third"))


def texts(made: mlm.Dataset) -> dict[str, str]:
    return {row["row_id"]: row["text"] for row in made.rows()}


def test_the_first_of_equal_paragraphs_stays_inside_a_row_and_across_rows(apply: Any) -> None:
    made = apply(
        Paragraphs(),
        {
            "text": [
                f"{ONE}\n\n{TWO}",
                f"{THREE}\n \t\n{ONE.upper()}\n\nYes.",
                f"{TWO}\n\n{ONE}",
                None,
                f"{THREE}\n\nYes.",
            ]
        },
    )

    assert texts(made) == {"r0": f"{ONE}\n\n{TWO}", "r1": f"{THREE}\n\nYes.", "r3": None, "r4": "Yes."}
    assert [(row["row_id"], row["reason"], row["detail"], row["text"]) for row in made.removed()] == [
        ("r2", "repeated-paragraphs", "all its paragraphs were seen before", f"{TWO}\n\n{ONE}")
    ]
    changed = pq.read_table(made.path / "changed.parquet").to_pylist()
    assert [(row["row_id"], row["reason"], row["detail"]) for row in changed] == [
        ("r1", "repeated-paragraphs", "1 of 3 paragraphs of text seen before"),
        ("r4", "repeated-paragraphs", "1 of 2 paragraphs of text seen before"),
    ]


def test_lines_are_compared_where_lines_are_meant(apply: Any) -> None:
    page = "Home | About | Contact us\n{}\nAll rights reserved, 2026"

    made = apply(Paragraphs(unit="lines"), {"text": [page.format(ONE), page.format(TWO), page.format("")]})

    assert texts(made) == {"r0": page.format(ONE), "r1": TWO}


def test_the_columns_are_those_that_are_named(apply: Any) -> None:
    rows = {"prompt": [ONE, ONE], "completion": [TWO, f"{TWO}\n\n{THREE}"]}

    made = apply(Paragraphs(columns=["completion"]), rows)

    assert [(row["prompt"], row["completion"]) for row in made.rows()] == [(ONE, TWO), (ONE, THREE)]
    with pytest.raises(mlm.ProjectError, match="the data have no column 'text'"):
        apply(Paragraphs(), rows)


pieces = st.lists(st.text("aB \n", max_size=6), max_size=5).map("\n\n".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(rows=st.lists(pieces | st.none(), min_size=1, max_size=10), size=st.integers(1, 4))
def test_no_paragraph_is_lost_and_none_stays_twice(rows: list[str | None], size: int, apply: Any, store: Any) -> None:
    def paragraphs(many: list[str | None]) -> list[str]:
        found = [" ".join(part.lower().split()) for text in many for part in _split(text or "")]
        return [part for part in found if part]

    made = apply(Paragraphs(shortest=1), {"text": rows})

    kept = paragraphs([row["text"] for row in made.rows()])
    assert sorted(kept) == sorted(set(paragraphs(rows)))
    parts = [store({"text": rows[i : i + size], "row_id": [f"r{n}" for n in range(i, min(i + size, len(rows)))]})
             for i in range(0, len(rows), size)]  # fmt: skip
    context = mlm.Context(
        parts[0].path / "out", parts[0].path / "work", parts[0].path, mlm.Problem(name="t", task="chat", purpose="p")
    )
    again = Paragraphs(shortest=1).mlm_transform(evolve(parts[0], more=tuple(parts[1:])), context)
    assert texts(again) == texts(made)


def _split(text: str) -> list[str]:
    import re

    return re.split(r"\n[ \t\r]*\n", text)
