"""Which requirement steers what, as `mlm plan` and `mlm review` show it."""

from __future__ import annotations

import pytest
from trial import TrialProject

from mlm.steering import steering

TWO = '[evaluation.second]\nuse = "exact-match"\nmodel = "chat"\ndata = "lessons"\n'


def test_a_gate_needs_an_evaluation_of_the_deployed_model_and_the_rest_a_monitor(life: TrialProject) -> None:
    rows = {row["requirement"]["name"]: row for row in life.mlm("plan", "--json").json["requirements"]}

    assert (rows["usefulness"]["gate"], rows["usefulness"]["monitor"]) == ("quality", None)
    assert (rows["content"]["gate"], rows["content"]["monitor"]) == (None, "ratings")


def test_a_trigger_is_one_that_acts_on_requirements(life: TrialProject) -> None:
    def content() -> tuple[str, str | None]:
        [line] = [line for line in life.mlm("plan").out.splitlines() if line.split()[:1] == ["content"]]
        return line.split()[-1], life.mlm("plan", "--json").json["requirements"][1]["trigger"]

    assert content() == ("-", None)

    life.change("[retirement.superseded]", '[retirement.broken]\nuse = "requirements"\n\n[retirement.superseded]')

    assert content() == ("broken", "broken")
    assert life.mlm("plan", "--json").json["requirements"][0]["trigger"] is None


def test_a_hole_is_a_finding_of_the_review(life: TrialProject) -> None:
    answer = life.mlm("review", "--json")

    assert answer.code == 0
    assert [(finding["severity"], finding["title"]) for finding in answer.json] == [
        ("note", "usefulness (exact_match >= 0.8) has no canary, set-point and trigger"),
        ("note", "content (complaint_rate <= 0.4) has no gate"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "min = 0.8", "max = 0.8",
            "usefulness (exact_match <= 0.8) refuses better values: of exact_match, higher is better: write `min`,",
        ),
        (
            "max = 0.4", "min = 0.4",
            "content (complaint_rate >= 0.4) refuses better values: of complaint_rate, lower is better: write `max`,",
        ),
    ],
)  # fmt: skip
def test_a_bound_on_the_wrong_side_is_noted_by_review_and_plan(
    life: TrialProject, old: str, new: str, told: str
) -> None:
    assert "refuses better values" not in life.mlm("plan").out
    life.change(old, new)

    assert f"Note: {told}" in life.mlm("plan").out
    noted = [one for one in life.mlm("review", "--json").json if one["code"] == "requirement-direction"]
    assert [(one["severity"], f"{one['title']}: {one['advice']}".startswith(told)) for one in noted] == [("note", True)]


def test_an_evaluation_of_another_model_is_no_gate(life: TrialProject) -> None:
    life.change('use = "shelf"\nmodel = "chat"', 'use = "shelf"\nmodel = "folded"')
    life.change("[problem]", '[export.folded]\nuse = "folded"\nmodel = "chat"\n[problem]')

    answer = life.mlm("plan")

    assert answer.code == 1
    assert answer.error == (
        "Error: 'quality' measures exact_match on chat, which no [deployment.<name>] serves: let it measure a model"
        ' that is served, or serve that one (`model = "chat"`)  [mlm.toml, requirements.usefulness]'
    )


def test_two_measures_are_settled_by_the_name_of_the_step(life: TrialProject) -> None:
    life.change("[problem]", f"{TWO}[problem]")
    life.change("min = 0.8", 'min = 0.8, by = "second"')

    with life.open() as workspace:
        assert [row.gate for row in steering(workspace)] == ["second", None]


def test_metrics_may_be_computed_from_settings(life: TrialProject) -> None:
    life.change('use = "exact-match"', 'use = "probe"\nmetric = "charm"')
    life.change('data = "exam"\n', "")
    life.change('metric = "exact_match"', 'metric = "charm"')

    with life.open() as workspace:
        assert [row.gate for row in steering(workspace)] == ["quality", None]
