"""The lineage graph: every edge leads to the right, and every node is there."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from mlm.pages.lineage import STAGES, Box, columns_of, lineage_graph, ordered
from mlm_registry import Edge

BOXES = [
    Box(1, "facts@1", "data", "dataset"),
    Box(2, "mix@1", "data", "dataset"),
    Box(3, "tokenizer@1", "training", "model"),
    Box(4, "base@1", "training", "model"),
    Box(5, "quality:base@1", "evaluation", "report", "abc"),
]
ARROWS = [(1, 2), (2, 3), (3, 4), (2, 4), (4, 5), (1, 5)]


def test_a_stage_has_as_many_columns_as_its_longest_chain() -> None:
    assert columns_of(BOXES, ARROWS) == [[1], [2], [3], [4], [5]]


def test_nodes_that_do_not_lead_to_each_other_share_a_column() -> None:
    assert columns_of(BOXES, []) == [[1, 2], [3, 4], [5]]


@given(st.data())
def test_each_edge_along_the_stages_leads_to_a_later_column(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 30))
    ranks = sorted(data.draw(st.lists(st.integers(0, len(STAGES) - 1), min_size=count, max_size=count)))
    boxes = [Box(i, f"n{i}", STAGES[rank], "model") for i, rank in enumerate(ranks)]
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda p: p[0] < p[1])
    arrows = data.draw(st.lists(pairs, max_size=40))

    columns = ordered(columns_of(boxes, arrows), arrows)

    place = {one: number for number, column in enumerate(columns) for one in column}
    assert sorted(place) == list(range(count))
    assert all(place[source] < place[target] for source, target in arrows)


def test_ordering_takes_out_a_crossing() -> None:
    assert ordered([[1, 2], [3, 4]], [(1, 4), (2, 3)]) in ([[1, 2], [4, 3]], [[2, 1], [3, 4]])


def test_each_node_has_a_label_and_a_tooltip() -> None:
    edges = [Edge(source, target) for source, target in ARROWS]

    parsed = ET.fromstring(lineage_graph(BOXES, edges))

    tips = [g.findtext("title") for g in parsed.iter("g")]
    assert "quality:base@1 · report · evaluation\nabc" in tips
    assert [tip.split(" ")[0] for tip in tips if tip] == [box.label for box in BOXES]
    assert len(list(parsed.iter("path"))) == len(ARROWS)


def test_an_edge_to_a_node_that_is_not_drawn_is_left_out() -> None:
    assert "<path" not in lineage_graph(BOXES[:1], [Edge(1, 99)])


def test_an_empty_graph_says_so() -> None:
    assert "Nothing was made yet" in lineage_graph([], [])
