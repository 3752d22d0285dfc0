"""The page of a project, from an empty registry to a whole life."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve
from trial import TrialProject

from mlm.errors import MlmError
from mlm.pages.life import run_page
from mlm.pages.stages import stages
from mlm.pages.view import view
from mlm_registry import Execution, Judgement, Metric

Parse = Callable[[str], ET.Element]


def page(project: TrialProject, run: str | None = None) -> str:
    with project.open() as workspace:
        return run_page(workspace, run)


def text(element: ET.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def section(parsed: ET.Element, title: str) -> ET.Element:
    return next(s for s in parsed.iter("section") if (s.findtext("h2") or "").startswith(title))


def test_a_project_that_never_ran_has_a_page(life: TrialProject, parse: Parse) -> None:
    parsed = parse(page(life))

    assert parsed.findtext(".//h1") == "trial"
    assert "Nothing was made yet" in text(section(parsed, "Lineage"))
    assert "not measured yet" in text(section(parsed, "Requirements"))


def test_the_trigger_of_a_requirement_is_one_that_acts_on_it_and_fired_for_it(life: TrialProject, parse: Parse) -> None:
    def cell() -> str:
        rows = list(section(parse(page(life)), "Requirements").iter("tr"))
        return text(list(next(row for row in rows if text(row).startswith("content")))[-1])

    life.run()
    with life.registry() as registry:
        registry.judge(Judgement("d", "retirement", "superseded", "fail", "superseded", "another serves"))
    assert cell() == "none"

    life.change("[retirement.superseded]", '[retirement.broken]\nuse = "requirements"\n\n[retirement.superseded]')
    assert cell() == "broken"

    with life.registry() as registry:
        broken = {"evidence": {"complaint_rate": 0.9}}
        registry.judge(Judgement("d", "retirement", "broken", "fail", "requirements-broken", "broken", **broken))
    assert cell().startswith("broken fired ")


def test_reading_a_page_makes_no_file_of_exchanges(life: TrialProject) -> None:
    page(life)

    assert not (life.folder / ".mlm" / "exchanges.db").exists()


def test_the_nine_stages_stand_in_order(life: TrialProject) -> None:
    life.run()

    with life.open() as workspace:
        found = {stage.name: stage for stage in stages(view(workspace))}

    assert list(found) == [
        "Problem", "Data", "Training", "Evaluation", "Alignment",
        "Deployment", "Monitoring", "Improvement", "Retirement",
    ]  # fmt: skip
    assert found["Problem"].figure == "2"
    assert (found["Data"].figure, found["Data"].told) == ("90", "rows in 2 datasets; 0 removed")
    assert found["Training"].told == "chat@1"
    assert found["Evaluation"].figure == "1"
    assert [found[name].figure for name in ("Alignment", "Deployment", "Improvement", "Retirement")] == [""] * 4


def test_a_page_is_one_file_that_fetches_nothing(life: TrialProject, parse: Parse) -> None:
    life.deploy()

    parsed = parse(page(life))

    assert not [e for e in parsed.iter() if e.tag in ("script", "link", "img", "iframe")]
    assert not [e for e in parsed.iter() if {"src", "href"} & set(e.attrib)]


def test_a_life_is_told_whole(life: TrialProject, parse: Parse) -> None:
    life.deploy()
    life.visit(life.lessons()[:20])
    life.reconcile()

    parsed = parse(page(life))

    requirement = text(section(parsed, "Requirements"))
    assert "usefulness exact_match ≥ 80.0 % pass 100.0 %" in requirement
    assert "quality on chat@1, n = 30" in requirement
    assert "ratings on chat@1, n = 20" in requirement
    assert "exact_match quality 100.0 % n 30" in text(section(parsed, "Evaluation"))
    assert "chat@1 training approved 1 of 1 pass production 100%" in text(section(parsed, "Model versions"))
    assert "chat@1 takes all traffic" in text(section(parsed, "Deployments"))
    assert "complaint_rate" in text(section(parsed, "Signals"))
    assert "verified" in text(section(parsed, "Audit log"))
    labels = {text(g).split(" ")[0] for g in section(parsed, "Lineage").iter("g")}
    assert labels == {"lessons@1", "exam@1", "chat@1", "quality@1"}


def test_a_run_narrows_the_steps_to_its_own(life: TrialProject, parse: Parse) -> None:
    first = life.mlm("run", "--json", "lessons").json["run"]
    life.run()

    rows = section(parse(page(life, first)), f"Steps of run {first}").findall(".//tbody/tr")

    assert [row.findtext("td") for row in rows] == ["lessons"]


def test_an_unknown_run_is_refused_with_the_newest(life: TrialProject) -> None:
    run = life.mlm("run", "--json").json["run"]

    with pytest.raises(MlmError, match=f"there is no run 'nope' \\(newest: {run}\\)"):
        page(life, "nope")


def test_a_failed_step_shows_its_error_as_text(life: TrialProject, parse: Parse) -> None:
    with life.registry() as registry:
        execution = registry.start(Execution("chat", "training", "r1", "mlm:trainers/sft"))
        registry.log([Metric(execution.id, "loss", i, 1.0 / (i + 1)) for i in range(5)])
        registry.log([Metric(execution.id, "grad_norm", i, float("nan")) for i in range(5)])
        registry.finish(evolve(execution, status="failed", error="<script>loss</script> diverged"))

    parsed = parse(page(life))

    assert "failed <script>loss</script> diverged" in text(section(parsed, "Steps"))
    assert "chat: loss" in text(section(parsed, "Training curves"))


def test_a_project_file_that_does_not_hold_together_still_has_a_page(life: TrialProject, parse: Parse) -> None:
    life.run()
    life.change('metric = "exact_match"', 'metric = "beauty"')

    parsed = parse(page(life))

    assert "nothing measures beauty" in text(section(parsed, "Requirements"))


def test_a_broken_audit_chain_is_said(life: TrialProject, parse: Parse) -> None:
    life.deploy()
    with life.registry() as registry, registry.transaction() as connection:
        connection.execute("UPDATE events SET subject = 'other' WHERE id = 1")

    assert "broken Somebody touched the registry: the audit log was touched at row 1" in text(
        section(parse(page(life)), "Audit log")
    )
