"""Rows are found in every stored dataset that holds them."""

from __future__ import annotations

import pytest
from trial import TrialProject

from mlm.holdings import Holding, Match, holdings, of_row, of_source

MIXED = """
[data.good]
use = "jsonl"
path = "good.jsonl"
steps = ["exact"]

[data.other]
use = "jsonl"
path = "other.jsonl"

[data.both]
use = "mix"
inputs = ["good", "other"]
repeat = { good = 2 }
"""


@pytest.fixture
def mixed(project: TrialProject) -> TrialProject:
    project.jsonl("good.jsonl", [{"text": "a"}, {"text": "b"}, {"text": "a"}])
    project.jsonl("other.jsonl", [{"text": "c"}])
    project.write(MIXED)
    project.run()
    return project


def found(project: TrialProject, match: Match) -> set[tuple[str, str, int]]:
    with project.registry() as registry:
        return {(holding.node.ref, holding.split, len(holding.rows)) for holding in holdings(registry, match)}


def test_a_source_is_found_with_its_copies_and_its_removed_rows(mixed: TrialProject) -> None:
    assert found(mixed, of_source("good.jsonl")) == {("good@1", "train", 2), ("good@1", "", 1), ("both@1", "train", 4)}
    assert found(mixed, of_source("good.jsonl:2")) == {("good@1", "train", 1), ("both@1", "train", 2)}
    assert found(mixed, of_source("good.json")) == set()


def test_a_row_is_found_by_its_id_wherever_it_went(mixed: TrialProject) -> None:
    with mixed.registry() as registry:
        [(row_id, source)] = holdings(registry, of_source("good.jsonl:2"), [registry.node("good")])[0].rows

    assert source == "good.jsonl:2"
    assert found(mixed, of_row(row_id)) == {("good@1", "train", 1), ("both@1", "train", 2)}


def test_a_dataset_whose_bytes_are_gone_holds_nothing(mixed: TrialProject) -> None:
    with mixed.registry() as registry:
        registry.objects.sweep([])

        assert holdings(registry, of_source("good.jsonl")) == list[Holding]()
