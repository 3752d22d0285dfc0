"""Splits are shares of each value, the same from run to run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.detectors.drawing import draws
from mlm_plugins.transforms.split import Split
from mlm_plugins.transforms.validate import Validate

fast = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


def asked(count: int) -> list[str]:
    """Make prompts of which no two are the same."""
    return [f"p{number}" for number in range(count)]


def held_out(made: mlm.Dataset) -> list[str]:
    return [row["row_id"] for row in made.rows() if row["split"] == "test"]


@fast
@given(
    items=st.lists(st.sampled_from("abc"), min_size=1, max_size=40),
    share=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]),
    seed=st.integers(0, 3),
)
def test_each_value_keeps_its_share_for_test(apply: Any, items: list[str], share: float, seed: int) -> None:
    made = apply(Split(test=share, stratify="item"), {"prompt": asked(len(items)), "item": items}, seed=seed)

    found = Counter(row["item"] for row in made.rows() if row["split"] == "test")
    assert found == Counter({item: round(n * share) for item, n in Counter(items).items()})


@fast
@given(
    rows=st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 12)), max_size=40),
    share=st.sampled_from([0.1, 0.25, 0.5]),
)
def test_each_stratum_fills_its_share_with_its_lowest_groups(
    apply: Any, rows: list[tuple[str, int]], share: float
) -> None:
    order = dict(zip(range(13), draws(5, [str(group) for group in range(13)]).tolist(), strict=True))
    sizes, stratum = Counter(group for _, group in rows), {group: kind for kind, group in reversed(rows)}
    expected = set()
    for kind in set(stratum.values()):
        groups = sorted((group for group in stratum if stratum[group] == kind), key=order.__getitem__)
        left = round(share * sum(sizes[group] for group in groups))
        for group in groups:
            if sizes[group] < 2 * left:
                expected.add(group)
                left -= sizes[group]

    columns = {"prompt": asked(len(rows)), "kind": [kind for kind, _ in rows], "item": [group for _, group in rows]}
    made = apply(Split(test=share, stratify="kind", group="item"), columns, seed=5)

    assert {row["item"] for row in made.rows() if row["split"] == "test"} == expected


@fast
@given(groups=st.lists(st.integers(0, 6), min_size=1, max_size=40), share=st.sampled_from([0.1, 0.25, 0.5]))
def test_groups_stay_together_and_the_share_is_near(apply: Any, groups: list[int], share: float) -> None:
    made = apply(Split(test=share, group="item"), {"prompt": asked(len(groups)), "item": groups})

    rows = list(made.rows())
    assert len({(row["item"], row["split"]) for row in rows}) == len(set(groups))
    off = abs(sum(row["split"] == "test" for row in rows) - round(share * len(groups)))
    assert off <= max(Counter(groups).values()) / 2 or sum(row["split"] == "test" for row in rows) == 0


@fast
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.none() | st.integers(0, 8)), min_size=1, max_size=40
    )
)
def test_nothing_that_belongs_together_is_on_both_sides(apply: Any, rows: list[tuple[int, int, int | None]]) -> None:
    groups, clusters, families = zip(*rows, strict=True)
    columns = {"prompt": asked(len(rows)), "item": groups, "cluster": clusters, "family": families}

    made = list(apply(Split(test=0.4, group="item", together=["cluster", "family"]), columns).rows())

    for name in ("item", "cluster", "family"):
        sides = {(row[name], row["split"]) for row in made if row[name] is not None}
        assert len(sides) == len({value for value, _ in sides})


ALIKE = ["{}?", "{}", " {} !", "«{}»"]
"""Ways to write the same, for who compares words alone."""


@fast
@given(
    rows=st.lists(st.tuples(st.integers(0, 15), st.sampled_from(ALIKE), st.integers(0, 5), st.booleans()), min_size=9),
    settings=st.sampled_from([{}, {"stratify": "kind"}, {"group": "item"}, {"stratify": "kind", "together": ["item"]}]),
    seed=st.integers(0, 3),
)
def test_what_is_split_keeps_the_contract_of_validate(
    apply: Any, rows: list[tuple[int, str, int, bool]], settings: dict[str, Any], seed: int
) -> None:
    columns = {
        "prompt": [
            written.format("Who is it" if upper else "who is IT") + f" {number}" for number, written, _, upper in rows
        ],
        "item": [item for _, _, item, _ in rows],
        "kind": [upper for *_, upper in rows],
    }

    made = list(apply(Split(test=0.4, **settings), columns, seed=seed).rows())

    apply(Validate(), {name: [row[name] for row in made] for name in ("prompt", "split")})


def test_what_asks_the_same_goes_where_its_lowest_row_goes_and_the_share_is_met(apply: Any) -> None:
    prompts = [f"What is {number // 2}{'?' * (number % 2)}" for number in range(100)]

    made = apply(Split(test=0.1), {"prompt": prompts}, seed=3)

    order = dict(zip(range(100), draws(3, [f"r{number}" for number in range(100)]).tolist(), strict=True))
    pairs = sorted(range(50), key=lambda pair: min(order[2 * pair], order[2 * pair + 1]))[:5]
    assert sorted(held_out(made)) == sorted(f"r{2 * pair + one}" for pair in pairs for one in (0, 1))


def test_a_conversation_stays_with_the_same_one(apply: Any) -> None:
    chats = [[{"role": "user", "content": f"Hello {number // 2}{'!' * (number % 2)}"}] for number in range(40)]

    made = list(apply(Split(test=0.5), {"messages": chats}).rows())

    sides = {(row["messages"][0]["content"].strip("!"), row["split"]) for row in made}
    assert len(sides) == 20


def test_rows_that_ask_the_same_may_be_parted(apply: Any) -> None:
    made = apply(Split(test=0.5, asked_together=False), {"prompt": ["the same"] * 10})

    assert len(held_out(made)) == 5


def test_rows_that_ask_nothing_belong_to_nobody(apply: Any) -> None:
    made = apply(Split(test=0.5), {"prompt": ["...", "?!", "", None] * 5})

    assert len(held_out(made)) == 10


def test_a_chain_of_links_stays_together_whatever_the_order(apply: Any) -> None:
    size = 60
    chain = {"prompt": asked(size), "row_id": [f"x{i}" for i in range(size)]}
    chain |= {"a": [i // 2 for i in range(size)], "b": [(i + 1) // 2 for i in range(size)]}

    made = apply(Split(test=0.5, together=["a", "b"]), chain)

    assert len({row["split"] for row in made.rows()}) == 1


def test_the_split_depends_on_the_seed_and_on_the_ids_alone(apply: Any) -> None:
    ids = [f"x{i}" for i in range(50)]
    rows = {"row_id": ids, "prompt": [f"p{i}" for i in range(50)]}
    turned = {name: values[::-1] for name, values in rows.items()}

    one, again, other = (apply(Split(), rows, seed=seed) for seed in (1, 1, 2))

    assert held_out(one) == held_out(again) == held_out(apply(Split(), turned, seed=1))[::-1]
    assert held_out(one) != held_out(other)
    assert len(held_out(one)) == len(held_out(other)) == 10


def test_each_split_is_a_file_of_its_own(apply: Any) -> None:
    made = apply(Split(test=0.25), {"prompt": [f"p{i}" for i in range(8)]})

    assert made.splits == ["test", "train"]
    assert [made.narrowed(split).num_rows for split in made.splits] == [2, 6]


def test_a_split_that_was_there_is_replaced(apply: Any) -> None:
    made = apply(Split(test=0.5), {"prompt": ["a", "b"], "split": ["old", "older"]})

    assert made.splits == ["test", "train"]


@pytest.mark.parametrize("split", [Split(stratify="itme"), Split(group="itme"), Split(together=["itme"])])
def test_an_unknown_column_is_named(apply: Any, split: Split) -> None:
    with pytest.raises(mlm.ProjectError, match="no column 'itme'"):
        apply(split, {"prompt": ["a"]})
