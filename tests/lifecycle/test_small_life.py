"""The starter's data, and a life in seconds: what a user's program reads from each command."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trial import LESSONS, TrialProject

ROOT = Path(__file__).parents[2]
ANSWERS: dict[str, dict[str, str]] = runpy.run_path(str(ROOT / "docs" / "generate.py"))["ANSWERS"]
DATA = ["corpus", "questions", "requests", "tuning", "preferences", "unseen_templates", "unseen_dangers", "islands"]
STRANGERS = [{"prompt": f"Where is island {i}?", "completion": f"South of island {i + 1}."} for i in range(10)]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> TrialProject:
    """The starter project, with its data steps run."""
    place = TrialProject(tmp_path_factory.mktemp("place"))
    assert place.mlm("init", "atlas", place.folder / "atlas").code == 0
    project = TrialProject(place.folder / "atlas")
    assert project.run(*DATA) == dict.fromkeys(DATA, "ran")
    return project


def test_a_second_run_of_the_data_finds_everything_cached(atlas: TrialProject) -> None:
    assert atlas.ran(*DATA) == set()


@pytest.mark.parametrize("step", DATA)
def test_every_row_of_the_starter_is_kept_or_removed_for_a_reason(atlas: TrialProject, step: str) -> None:
    view = atlas.mlm("show", step, "--json").json

    for link in view["chain"]:
        assert link["rows_in"] == link["rows_out"] + sum(link["removed"].values()), link["step"]
    assert sum(view["rows"].values()) == view["chain"][-1]["rows_out"]


def test_the_mess_of_the_starter_meets_every_filter(atlas: TrialProject) -> None:
    did = {
        link["step"]
        for step in DATA
        for link in atlas.mlm("show", step, "--json").json["chain"]
        if link["removed"] or link["changed"]
    }

    assert {"schema", "normalize", "language", "pii", "toxicity", "exact", "minhash"} <= did


def test_what_is_tested_is_in_no_training_row(atlas: TrialProject) -> None:
    with atlas.registry() as registry:
        lineage = {
            node.name for node in (registry.node(i) for i in registry.graph.upstream(registry.node("tuning").id))
        }
        assert lineage == {"questions", "requests", "islands"}
        trained = prompts(
            registry.objects.path(registry.node("tuning").digest) / "data" / "train-00000-of-00001.parquet"
        )
        tested = prompts(
            registry.objects.path(registry.node("questions").digest) / "data" / "test-00000-of-00001.parquet"
        )
    assert trained
    assert tested
    assert not trained & tested


def prompts(file: Path) -> set[str]:
    import pyarrow.parquet as pq

    return set(pq.read_table(file, columns=["prompt"])["prompt"].to_pylist())


def test_the_starter_is_the_same_for_the_same_seed(atlas: TrialProject) -> None:
    again = atlas.folder.parent / "again"
    assert atlas.mlm("init", "atlas", again).code == 0

    files = [file.relative_to(again) for file in sorted(again.rglob("*")) if file.is_file()]

    assert len(files) > 8
    assert [file for file in files if (again / file).read_bytes() != (atlas.folder / file).read_bytes()] == []


@pytest.fixture
def lived(life: TrialProject) -> TrialProject:
    """A life up to its first amendment, a canary under way, and a remote."""
    life.change("[requirements]", '[registry]\nremote = "remote"\n\n[requirements]')
    life.deploy()
    life.visit(STRANGERS)
    life.reconcile("--yes")
    life.visit(LESSONS[:1])
    return life


def at(value: Any, place: str) -> Iterator[dict[str, Any]]:
    """Yield the records at a place of an answer."""
    found = [value]
    for part in place.replace("[]", ".[]").split("."):
        if part == "[]":
            found = [item for one in found for item in one]
        elif part:
            found = [one[part] for one in found if one is not None]
    yield from (one for one in found if one is not None)


NOTHING_TO_SAY = {
    ("reconcile", "actions[]"), ("audit verify", "touched[]"),  # A sound life is in want of nothing.
    ("data diff", "examples.added[]"), ("data diff", "examples.changed[]"),
}  # fmt: skip
COMMANDS = {
    "plugins show": ["plugins", "show", "trainers/keyed"],
    "plugins check": ["plugins", "check", "reviews/completeness"],
    "plugins doctor": ["plugins", "doctor", "trainers/keyed"],
    "audit verify": ["audit", "verify"],
    "show": ["show", "chat"],
    "show --examples": ["show", "quality", "--examples", "1"],
    "data show": ["data", "show", "lessons"],
    "data diff": ["data", "diff", "lessons", "exam"],
    "data why": ["data", "why", "ROW"],
    "trace": ["trace", "production"],
    "trace RESPONSE": ["trace", "RESPONSE"],
    "replay": ["replay", "lessons"],
    "impact": ["impact", "lessons"],
    "recall": ["recall", "lessons", "--dry-run"],
    "recall --list": ["recall", "--list"],
    "erase": ["erase", "--row", "ROW"],
    "erase --list": ["erase", "--list"],
    "admit": ["admit", "production"],
    "history": ["history", "production"],
    "who-served": ["who-served", "--at", "2100-01-01"],
    "cite": ["cite", "RESPONSE"],
    "card": ["card", "chat"],
    "promote": ["promote", "chat", "--dry-run"],
}


@pytest.mark.parametrize("command", [command for command in ANSWERS if not command.endswith(("retire", " --list"))])
def test_a_program_finds_the_documented_keys(lived: TrialProject, command: str) -> None:
    with lived.registry() as registry:
        response = registry.exchanges.find(limit=1)[0].id
    names = {"RESPONSE": response, "ROW": lived.mlm("cite", response, "--top", "1", "--json").json[0]["row_id"]}
    if command == "pull":
        lived.mlm("push")
    arguments = [names.get(part, part) for part in COMMANDS.get(command, [command])]
    answer = lived.mlm(*arguments, "--json")
    assert answer.code == 0, answer.err
    assert [line for line in answer.err.splitlines() if not line.startswith("Warning: ")] == []

    for place, keys in ANSWERS[command].items():
        records = list(at(answer.json, place))
        if (command, place) not in NOTHING_TO_SAY:
            assert records, f"nothing is at {place!r}"
        for record in records:
            assert list(record) == keys.split(), place


def test_a_retirement_answers_with_its_documented_keys(life: TrialProject) -> None:
    life.run()

    answer = life.mlm("retire", "chat", "--reason", "old", "--json").json

    assert list(answer) == ANSWERS["retire"][""].split()


def test_a_report_of_what_failed_is_json_too(life: TrialProject) -> None:
    life.change('use = "memory"', 'use = "failing"')

    answer = life.mlm("run", "--json")

    assert (answer.code, answer.err) == (1, "")
    assert {step["name"]: step["status"] for step in answer.json["steps"]}["chat"] == "failed"
