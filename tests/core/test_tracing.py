"""Lineage as it is shown: nodes, and edges with their roles and splits."""

from __future__ import annotations

from trial import TrialProject

GRAPH = """
[data.good]
use = "jsonl"
path = "good.jsonl"

[data.other]
use = "jsonl"
path = "other.jsonl"

[data.both]
use = "mix"
inputs = ["good/train", "other"]

[training.base]
use = "memory"
data = "other"

[training.chat]
use = "memory"
data = "both"
model = "base"
"""
ROWS = [{"prompt": "a", "completion": "b"}]


def graph(project: TrialProject) -> TrialProject:
    project.jsonl("good.jsonl", ROWS)
    project.jsonl("other.jsonl", ROWS)
    project.write(GRAPH)
    project.run()
    return project


def test_edges_name_their_role_and_split(project: TrialProject) -> None:
    edges = graph(project).mlm("trace", "chat", "--json").json["edges"]

    assert {tuple(edge.values()) for edge in edges} == {
        ("good@1", "both@1", "inputs", "train"),
        ("other@1", "both@1", "inputs", ""),
        ("other@1", "base@1", "data", ""),
        ("both@1", "chat@1", "data", ""),
        ("base@1", "chat@1", "model", ""),
    }


def test_only_what_lies_between_two_nodes_is_shown_in_either_direction(project: TrialProject) -> None:
    graph(project)

    for ends in (["other", "--to", "chat"], ["chat", "--to", "other"]):
        lineage = project.mlm("trace", *ends, "--json").json
        assert {node["ref"] for node in lineage["nodes"]} == {"other@1", "both@1", "base@1", "chat@1"}
        tree = project.mlm("trace", *ends).out
        assert tree.splitlines()[0].startswith(f"{ends[0]}@1 ")
        assert tree.count("base@1") == 1


def test_two_nodes_without_a_path_are_said_to_have_none(project: TrialProject) -> None:
    answer = graph(project).mlm("trace", "good", "--to", "base")

    assert (answer.code, answer.error) == (1, "Error: no lineage leads from good@1 to base@1, nor back")


def test_the_tree_shows_roles_and_splits_and_draws_a_node_once(project: TrialProject) -> None:
    tree = graph(project).mlm("trace", "chat").out

    assert "as inputs/train" in tree
    assert "as model" in tree
    assert tree.count("other@1") == 2
    assert tree.count("(above)") == 1
