"""From people's corrections to a proposal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlm
from mlm_plugins.improvers.corrections import Correction, Corrections, agreed
from mlm_registry import Exchange, Feedback

Rows = list[tuple[str, int, str | None]]


@pytest.fixture
def context(tmp_path: Path) -> mlm.Context:
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    return mlm.Context(folder=tmp_path / "new", work=tmp_path, project=tmp_path, problem=problem)


def window(rows: Rows) -> mlm.Window:
    """Return a window of (prompt, rating, correction)."""
    exchanges = [Exchange(f"x{n}", "api", 1, 7, "/", float(n), {}, prompt=row[0]) for n, row in enumerate(rows)]
    feedback = {f"x{n}": Feedback(f"x{n}", rating, correction) for n, (_, rating, correction) in enumerate(rows)}
    return mlm.Window("api", tuple(exchanges), feedback)


def signal(outcome: Any = "fail") -> mlm.Signal:
    verdict = mlm.Verdict(outcome, "above-max", "0.4 is above 0.1")
    return mlm.Signal(mlm.Measure("hallucination_rate", 0.4, 50, 0.3, 0.5), "api", verdict=verdict)


def propose(rows: Rows, context: mlm.Context, **settings: Any) -> mlm.Proposal | None:
    plugin = Corrections(into="questions", **settings)
    return plugin.mlm_improve(signals=[signal()], window=window(rows), context=context)


def test_corrections_become_rows_that_name_their_exchange(context: mlm.Context) -> None:
    proposal = propose(
        [("a?", -1, " A. "), ("b?", 1, "B."), ("c?", -1, None), ("d?", -1, "D.")], context, min_corrections=2
    )

    assert proposal is not None
    assert list(proposal.add) == ["questions"]
    assert list(proposal.add["questions"].rows()) == [
        {"row_id": "exchange:x0", "source": "exchange:x0", "prompt": "a?", "completion": "A."},
        {"row_id": "exchange:x3", "source": "exchange:x3", "prompt": "d?", "completion": "D."},
    ]
    assert proposal.plan == ("collect", "data update", "fine-tuning", "evaluation", "redeploy")


def test_the_reason_gives_the_numbers(context: mlm.Context) -> None:
    proposal = propose([("a?", -1, "A"), ("b?", -1, "X"), ("b?", -1, "Y")], context, min_corrections=1)

    assert proposal is not None
    assert proposal.title == "Train on what people corrected in api (rows: 1)"
    assert "hallucination_rate is 0.4 over 50 (0.4 is above 0.1)" in proposal.reason
    assert "People corrected 3 of 3 responses: 1 kept, 2 left out" in proposal.reason
    assert (proposal.evidence["kept"], proposal.evidence["conflicting"]) == (1, 2)


def test_the_majority_of_corrections_of_a_prompt_wins(context: mlm.Context) -> None:
    rows: Rows = [("a?", -1, "Right."), ("A?  ", -1, "right."), ("a?", -1, "Wrong.")]

    proposal = propose(rows, context, min_corrections=1)

    assert proposal is not None
    assert [row["completion"] for row in proposal.add["questions"].rows()] == ["right.", "Right."]


def test_too_few_corrections_propose_nothing_and_write_nothing(context: mlm.Context) -> None:
    assert propose([("a?", -1, "A")] * 19, context) is None
    assert not context.folder.exists()


@pytest.mark.parametrize("outcome", ["pass", "inconclusive"])
def test_nothing_is_proposed_while_no_requirement_is_broken(context: mlm.Context, outcome: str) -> None:
    rows: Rows = [(f"{n}?", -1, "A") for n in range(30)]
    unjudged = mlm.Signal(mlm.Measure("requests", 30, 30), "api")

    assert Corrections(into="q").mlm_improve([signal(outcome), unjudged], window(rows), context) is None


@given(st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("AB"))))
def test_no_prompt_keeps_two_different_answers(given: list[tuple[str, str]]) -> None:
    kept = agreed([Correction(str(n), prompt, answer) for n, (prompt, answer) in enumerate(given)])

    answers = {(one.prompt, one.answer) for one in kept}
    assert len(answers) == len({prompt for prompt, _ in answers})
    for prompt, answer in answers:
        assert given.count((prompt, answer)) > max((given.count((prompt, o)) for o in "AB" if o != answer), default=0)
