"""A judge is measured by people: they label a sample, and a contract says how well both must agree."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trial import TrialProject

import mlm
from mlm_plugins.transforms.agreement import Agreement, kappa
from mlm_plugins.transforms.validate import Validate

JUDGED = """
[data.judged]
use = "jsonl"
path = "chats.jsonl"
steps = [{ use = "label", rules = { rude = "rude.txt" }, default = "kind" }]

[data.measured]
use = "mix"
inputs = ["judged"]

[[data.measured.steps]]
use = "label-by-people"
labels = ["rude", "kind"]
column = "human"
sample = 40
file = "labels.jsonl"

[[data.measured.steps]]
use = "validate"
agreement = [{ columns = ["label", "human"], min = 0.6 }]
"""
labels = st.sampled_from(["rude", "kind", "odd"])


def contract(least: float) -> Validate:
    return Validate(agreement=[Agreement(columns=["label", "human"], min=least)])


def rows(pairs: list[tuple[str | None, str | None]]) -> dict[str, Any]:
    texts = [f"text {n}" for n in range(len(pairs))]
    return {"text": texts, "label": [pair[0] for pair in pairs], "human": [pair[1] for pair in pairs]}


def refusal(apply: Any, least: float, pairs: list[tuple[str | None, str | None]]) -> str:
    with pytest.raises(mlm.DataError) as error:
        apply(contract(least), rows(pairs))
    return str(error.value).partition("; the rows are listed in")[0]


def test_kappa_is_that_of_the_textbook() -> None:
    """The table of two doctors: 20 and 15 of 50 alike, 5 and 10 not: .7 agree, .5 would by chance."""
    value, low, high = kappa({("yes", "yes"): 20, ("no", "no"): 15, ("yes", "no"): 5, ("no", "yes"): 10}) or (0, 0, 0)

    assert value == pytest.approx(0.4)
    # Wilson's interval of 35 in 50 is .5625 to .8090.
    assert (low, high) == pytest.approx((2 * 0.5625 - 1, 2 * 0.8090 - 1), abs=1e-4)


@given(st.lists(st.tuples(labels, labels), min_size=1))
def test_kappa_is_the_same_whoever_comes_first_and_one_where_all_agree(pairs: list[tuple[str, str]]) -> None:
    found, swapped = kappa(Counter(pairs)), kappa(Counter((other, one) for one, other in pairs))
    alike = kappa(Counter((one, one) for one, _ in pairs))

    assert found == pytest.approx(swapped) if found else swapped is None
    assert (alike or (1.0,))[0] == pytest.approx(1)
    assert (alike is None) == (len({one for one, _ in pairs}) == 1)
    if found:
        assert found[1] <= found[0] + 1e-9
        assert found[0] <= found[2] + 1e-9


def test_labels_that_agree_well_enough_pass(apply: Any) -> None:
    pairs: list[tuple[str | None, str | None]] = [("rude", "rude"), ("kind", "kind")] * 30

    made = apply(contract(0.8), rows([*pairs, ("rude", None), (None, "kind"), ("rude", "")]))

    assert made.num_rows == 63


def test_labels_that_agree_too_little_are_refused_with_the_rows_that_differ(apply: Any) -> None:
    pairs: list[tuple[str | None, str | None]] = [("rude", "rude"), ("kind", "kind")] * 9

    said = refusal(apply, 0.8, [*pairs, ("rude", "kind"), ("kind", "rude")])

    assert said == (
        "clean: 2 rules are broken: 'label' and 'human' agree in 20 rows with kappa 0.8 [0.398, 0.944], expected at "
        "least 0.8 at the lower end; 'label' and 'human' differ: 2 rows "
        "(r18 at f:19: label is rude, human is kind, r19 at f:20: label is kind, human is rude)"
    )


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([("rude", None), (None, "kind")], "no row has both 'label' and 'human', so their agreement is unknown"),
        ([("ok", "ok")] * 9, "all 9 rows with 'label' and 'human' are 'ok' in both, so their agreement is unknown"),
    ],
)
def test_an_agreement_that_cannot_be_known_is_refused(
    apply: Any, pairs: list[tuple[str | None, str | None]], told: str
) -> None:
    assert refusal(apply, -1, pairs) == f"clean: 1 rule is broken: {told}"


def test_a_column_that_is_not_there_is_named_once(apply: Any) -> None:
    data = rows([("rude", "rude")])
    del data["human"]

    with pytest.raises(mlm.DataError, match="clean: 1 rule is broken: there is no column 'human'"):
        apply(contract(0.5), data)


def test_people_label_a_sample_and_the_agreement_is_kept_with_the_step(project: TrialProject) -> None:
    texts = [f"you {'fool' if n % 2 else 'friend'} number {n}" for n in range(200)]
    project.jsonl("chats.jsonl", [{"text": text} for text in texts])
    (project.folder / "rude.txt").write_text("fool\n")
    project.jsonl("labels.jsonl", [])
    project.write(JUDGED)

    waiting = project.mlm("run").out
    asked = [json.loads(line) for line in (project.folder / "labels.to_label.jsonl").read_text().splitlines()]
    said = [{"row_id": row["row_id"], "label": "rude" if "fool" in row["text"] else "kind"} for row in asked]
    said[0]["label"] = "kind" if said[0]["label"] == "rude" else "rude"
    project.jsonl("labels.jsonl", said)
    project.run("measured")

    assert "40 rows wait for people to label them (rude, kind)" in waiting
    assert len(asked) == 40
    assert {*asked[0]} == {"row_id", "label", "text"}
    assert {row["label"] for row in asked} == {""}
    humans = [row["human"] for row in project.mlm("data", "sample", "measured", "-n", "200", "--json").json]
    assert sum(1 for human in humans if human) == 40
    (logged,) = project.mlm("show", "measured", "--json").json["logged"]
    # 39 of 40 agree; the shares of both labels say how many would by chance.
    assert (logged["name"], logged["step"]) == ("kappa_label_human", 200)
    assert 0.93 < logged["value"] < 0.96
    assert re.search(r"logged  kappa_label_human 0\.9\d+ at 200", project.mlm("show", "measured").out)
