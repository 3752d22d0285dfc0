"""The schema of `mlm.toml`: it takes what mlm takes, and finds what mlm refuses."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from trial import LIFE, PROBLEM, TrialProject

ATLAS = Path(__file__).parents[2] / "plugins" / "mlm_plugins" / "starters" / "atlas" / "mlm.toml"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    project = TrialProject(tmp_path_factory.mktemp("schema"))
    answer = project.mlm("schema")
    assert (answer.code, answer.err) == (0, "")
    Draft7Validator.check_schema(answer.json)
    return dict(answer.json)


def problems(schema: dict[str, Any], text: str) -> list[str]:
    return [error.message for error in Draft7Validator(schema).iter_errors(tomllib.loads(text))]


@pytest.mark.parametrize(
    "text", [LIFE + PROBLEM, ATLAS.read_text(encoding="utf-8").replace("{seed}", "1")], ids=["life", "atlas"]
)
def test_what_mlm_takes_is_valid(schema: dict[str, Any], text: str) -> None:
    assert problems(schema, text) == []


@pytest.mark.parametrize(
    "table",
    [
        "[training.more]\nuse = 'sft'\ndata = 'lessons'\nbatchsize = 3",
        "[training.more]\nuse = 'sft'\ndata = 'lessons'\nbatch_size = 'many'",
        "[training.more]\nuse = 'nobody'\ndata = 'lessons'",
        "[training.more]\nuse = 'memory'",
        "[data.more]\nuse = 'jsonl'",
        "[data.more]\nuse = 'jsonl'\npath = 'x'\nsteps = [{ use = 'minhash', permutation = 3 }]",
        "[training.more]\nuse = 'memory'\ndata = 'lessons'\nisolate = 'yes'",
        "[plugin]\nallow = []",
        "[registry]\nremot = 's3://x'",
    ],
)
def test_what_mlm_refuses_is_found(schema: dict[str, Any], table: str) -> None:
    assert problems(schema, f"{LIFE}\n{table}\n{PROBLEM}") != []


def test_settings_carry_their_help(schema: dict[str, Any]) -> None:
    (sft,) = [v for v in schema["definitions"]["trainers-training"]["anyOf"] if v["title"] == "trainers/sft"]

    assert sft["properties"]["batch_size"] == {"type": "integer", "description": "rows of one step (rows)"}
    assert sft["description"].startswith("Supervised fine-tuning")


def test_the_schema_is_written_to_a_file(project: TrialProject) -> None:
    file = project.folder / "mlm.schema.json"

    told = project.mlm("schema", "--output", file)

    assert "#:schema ./mlm.schema.json" in told.out
    assert json.loads(file.read_text())["title"] == "mlm.toml"
