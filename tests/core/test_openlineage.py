"""The lineage as OpenLineage events, valid by its specification."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from trial import TrialProject

REAL = Path(os.environ.get("MLM_REAL_DATA", "")) / "specs" / "openlineage"


def exported(project: TrialProject) -> list[dict[str, Any]]:
    answer = project.mlm("export", "--openlineage")
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_every_execution_starts_and_ends_with_what_went_in_and_came_out(life: TrialProject) -> None:
    life.run()

    events = exported(life)

    assert [(e["eventType"], e["job"]["name"]) for e in events] == [
        (kind, step) for step in ("lessons", "exam", "chat", "quality") for kind in ("START", "COMPLETE")
    ]
    chat = events[5]
    assert [d["name"] for d in chat["inputs"]] == ["lessons"]
    assert [d["facets"]["version"]["datasetVersion"] for d in chat["outputs"]] == ["1"]
    assert events[1]["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 60
    assert chat["job"]["namespace"] == "mlm://trial"
    assert len({e["run"]["runId"] for e in events}) == 4
    assert exported(life) == events


def test_a_failed_step_says_why(life: TrialProject) -> None:
    life.change('use = "memory"', 'use = "failing"')
    life.mlm("run")

    (failed,) = [event for event in exported(life) if event["eventType"] == "FAIL"]

    assert "the loss is not a number" in failed["run"]["facets"]["errorMessage"]["message"]
    assert failed["outputs"] == []


def test_events_can_go_to_a_file(life: TrialProject, tmp_path: Path) -> None:
    life.run("lessons")

    told = life.mlm("export", "--openlineage", "--output", tmp_path / "events.jsonl")

    assert told.out == f"wrote 2 events to {tmp_path / 'events.jsonl'}\n"
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 2
    assert life.mlm("export").code == 2


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="MLM_REAL_DATA has no specs/openlineage")
def test_events_and_facets_are_valid_by_the_specification(life: TrialProject) -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry as Schemas
    from referencing import Resource

    schemas = [json.loads(file.read_text()) for file in (REAL / "OpenLineage.json", *(REAL / "facets").glob("*.json"))]
    known = Schemas().with_resources([(schema["$id"], Resource.from_contents(schema)) for schema in schemas])

    def check(value: Any, reference: str) -> None:
        Draft202012Validator(
            {"$ref": reference}, registry=known, format_checker=Draft202012Validator.FORMAT_CHECKER
        ).validate(value)

    life.run()
    life.change('use = "memory"', 'use = "failing"')
    life.mlm("run")
    facets = 0
    for event in exported(life):
        check(event, event["schemaURL"])
        for part in (event["run"], event["job"], *event["inputs"], *event["outputs"]):
            for facet in (*part.get("facets", {}).values(), *part.get("outputFacets", {}).values()):
                check(facet, facet["_schemaURL"])
                facets += 1
    assert facets > 10
