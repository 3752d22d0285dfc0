"""A dataset's metadata for other tools."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.benchmarks import peers
from trial import TrialProject

REQUIRED = {"@context", "@type", "conformsTo", "description", "license", "name", "url", "creator", "datePublished"}
"""What Croissant 1.0 and 1.1 require of a dataset."""
PROJECT = """
[data.lessons]
use = "jsonl"
path = "lessons.jsonl"
steps = ["shout"]

[data.mixed]
use = "mix"
inputs = ["lessons"]
"""


@pytest.fixture
def described(project: TrialProject) -> TrialProject:
    rows = [
        {
            "text": f"row {i}", "length": i, "share": i / 3, "good": i % 2 == 0, "tags": ["a", "b"],
            "messages": [{"role": "user", "content": f"hello {i}"}], "split": "test" if i % 4 == 0 else "train",
        }
        for i in range(8)
    ]  # fmt: skip
    project.jsonl("lessons.jsonl", rows)
    project.write(PROJECT)
    project.run()
    return project


def metadata(project: TrialProject, ref: str) -> dict[str, Any]:
    answer = project.mlm("export", "--croissant", ref)
    assert answer.code == 0, answer.err
    found: dict[str, Any] = answer.json
    return found


def fields(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in found["recordSet"][1]["field"]}


def test_it_has_all_that_the_standard_requires(described: TrialProject) -> None:
    found = metadata(described, "lessons")

    assert found.keys() >= REQUIRED
    assert "http://mlcommons.org/croissant/1.1" in found["conformsTo"]


def test_each_file_is_named_with_its_checksum(described: TrialProject) -> None:
    folder = Path(described.mlm("show", "lessons", "--json").json["path"])

    files = [one for one in metadata(described, "lessons")["distribution"] if one["@type"] == "cr:FileObject"]

    assert {one["contentUrl"]: one["sha256"] for one in files} == {
        f"data/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / "data").iterdir()
    }


def test_columns_have_their_types_and_records_their_parts(described: TrialProject) -> None:
    found = fields(metadata(described, "lessons"))

    types = {name.removeprefix("rows/"): field.get("dataType") for name, field in found.items()}
    assert types == {
        "in_split": "sc:Text", "row_id": "sc:Text", "source": "sc:Text", "text": "sc:Text", "length": "sc:Integer",
        "share": "sc:Float", "good": "sc:Boolean", "tags": "sc:Text", "messages": None, "split": "sc:Text",
    }  # fmt: skip
    assert found["rows/tags"]["repeated"]
    assert [part["name"] for part in found["rows/messages"]["subField"]] == [
        "rows/messages/role", "rows/messages/content",
    ]  # fmt: skip


def test_it_names_what_the_dataset_came_from_and_what_was_done(described: TrialProject) -> None:
    mixed, lessons = metadata(described, "mixed"), metadata(described, "lessons")

    assert mixed["prov:wasDerivedFrom"] == [{"@id": "mlm://trial/lessons@1"}]
    assert lessons["rai:dataPreprocessingProtocol"] == [
        "jsonl: 8 rows in, 8 out, 0 changed", "shout: 8 rows in, 8 out, 8 changed",
    ]  # fmt: skip


def test_one_kind_of_export_is_asked_for_at_a_time(described: TrialProject) -> None:
    assert described.mlm("export").code == 2
    assert described.mlm("export", "--openlineage", "--croissant", "lessons").code == 2


@pytest.mark.skipif(not peers.are_here(), reason="mlcroissant is not installed (make peers)")
@pytest.mark.parametrize("calls", [False, True], ids=["without tool calls", "with some tool calls"])
def test_mlcroissant_reads_the_rows_by_it(described: TrialProject, tmp_path: Path, calls: bool) -> None:
    if calls:
        call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
        turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
        described.jsonl("lessons.jsonl", [{"text": "a", "messages": turns}, {"text": "b", "messages": turns[:1]}])
        described.run()
    folder = tmp_path / "lessons"
    shutil.copytree(described.mlm("show", "lessons", "--json").json["path"], folder)
    described.mlm("export", "--croissant", "lessons", "--output", folder / "croissant.json")
    code = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
rows = [row["rows/text"].decode() for row in dataset.records("rows")]
print(json.dumps(rows))
"""
    command = [str(peers.BIN / "python"), "-W", "ignore", "-c", code, str(folder / "croissant.json")]

    read = subprocess.run(command, capture_output=True, text=True, check=False)

    assert read.returncode == 0, read.stderr
    expected = pq.read_table(folder / "data").column("text").to_pylist()
    assert sorted(json.loads(read.stdout.splitlines()[-1])) == sorted(expected)
