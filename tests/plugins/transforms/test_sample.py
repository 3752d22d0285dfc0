"""A sample is drawn by seed and ids alone, in the shares that were asked for."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.detectors.drawing import allotted, draws, tempered
from mlm_plugins.transforms.sample import Sample

IDS = [f"x{i}" for i in range(200)]
ROWS: dict[str, Any] = {"row_id": IDS, "prompt": IDS, "kind": ["common"] * 160 + ["rare"] * 40}


def drawn(made: mlm.Dataset) -> set[str]:
    return {row["row_id"] for row in made.rows()}


def test_the_sample_depends_on_the_seed_and_on_the_ids_alone(apply: Any) -> None:
    turned = {name: values[::-1] for name, values in ROWS.items()}

    one, other = (drawn(apply(Sample(rows=50), ROWS, seed=seed)) for seed in (1, 2))

    assert len(one) == len(other) == 50
    assert one == drawn(apply(Sample(rows=50), turned, seed=1))
    assert one != other


def test_a_smaller_sample_is_part_of_a_larger(apply: Any) -> None:
    assert drawn(apply(Sample(share=0.1), ROWS)) < drawn(apply(Sample(share=0.3), ROWS))


def test_what_was_not_drawn_is_kept_with_the_reason(apply: Any) -> None:
    made = apply(Sample(share=0.5), ROWS)

    gone = list(made.removed())
    assert (made.num_rows, len(gone)) == (100, 100)
    assert {(row["reason"], row["detail"]) for row in gone} == {("sample", "not drawn")}


@pytest.mark.parametrize(("temperature", "kinds"), [(1.0, (40, 10)), (2.0, (33, 17)), (1000.0, (25, 25))])
def test_a_temperature_evens_the_shares(apply: Any, temperature: float, kinds: tuple[int, int]) -> None:
    made = apply(Sample(rows=50, by="kind", temperature=temperature), ROWS)

    found = Counter(row["kind"] for row in made.rows())
    assert (found["common"], found["rare"]) == kinds


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from([0.0, 0.5, 1.0, 9.0])), max_size=30),
    count=st.integers(1, 20),
    temperature=st.sampled_from([0.5, 1.0, 3.0]),
)
def test_each_value_gives_its_rows_of_the_lowest_keys(
    apply: Any, rows: list[tuple[str, float]], count: int, temperature: float
) -> None:
    ids = [f"x{i}" for i in range(len(rows))]
    uniform = [(float(draw) + 1) / 2**64 for draw in draws(3, ids)]
    drawable: dict[str, list[tuple[float, str]]] = {kind: [] for kind, _ in sorted(rows)}
    for row_id, u, (kind, weight) in zip(ids, uniform, rows, strict=True):
        if weight:
            drawable[kind].append((-math.log(u) / weight, row_id))
    sizes = [len(keyed) for keyed in drawable.values()]
    given_out = allotted(count, tempered(sizes, temperature), sizes)
    lowest = [sorted(keyed)[:n] for n, keyed in zip(given_out, drawable.values(), strict=True)]
    expected = [row_id for keyed in lowest for _, row_id in keyed]

    columns = {"row_id": ids, "prompt": ids, "kind": [kind for kind, _ in rows], "w": [w for _, w in rows]}
    made = apply(Sample(rows=count, by="kind", weight="w", temperature=temperature), columns, seed=3)

    assert [row["row_id"] for row in made.rows()] == sorted(expected, key=ids.index)


def test_rows_are_drawn_in_proportion_to_their_weights(apply: Any) -> None:
    weights = [0.0] * 20 + [1.0] * 90 + [9.0] * 90

    counts = Counter[float]()
    for seed in range(20):
        counts.update(row["w"] for row in apply(Sample(rows=10), ROWS | {"w": weights}, seed=seed).rows())
        made = apply(Sample(rows=10, weight="w"), ROWS | {"w": weights}, seed=seed)
        counts.update(10 * row["w"] for row in made.rows())

    assert counts[90.0] / (counts[10.0] + counts[90.0]) == pytest.approx(0.9, abs=0.06)
    assert counts[9.0] / counts[1.0] == pytest.approx(1, abs=0.5)


def test_rows_of_no_weight_never_stay(apply: Any) -> None:
    made = apply(Sample(share=1.0, weight="w"), {"prompt": ["a", "b", "c"], "w": [0, None, 2]})

    assert drawn(made) == {"r2"}


@pytest.mark.parametrize("weights", [[-1.0, 1.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_a_weight_that_is_none_is_refused(apply: Any, weights: list[float]) -> None:
    with pytest.raises(mlm.DataError, match=r"'w' holds a weight that is no number from 0 up  \[clean\]"):
        apply(Sample(weight="w"), {"prompt": ["a", "b"], "w": weights})


@given(
    total=st.integers(0, 60),
    parts=st.lists(st.tuples(st.floats(0, 5, width=16), st.integers(0, 20)), min_size=1, max_size=6),
)
def test_what_is_allotted_adds_up_within_the_limits(total: int, parts: list[tuple[float, int]]) -> None:
    shares, limits = zip(*parts, strict=True)

    given_out = allotted(total, shares, limits)

    assert all(0 <= given <= limit for given, limit in zip(given_out, limits, strict=True))
    assert sum(given_out) == min(total, sum(limit for share, limit in parts if share > 0))


def test_a_temperature_of_one_leaves_shares_as_they_are() -> None:
    assert tempered([80, 20, 0], 1.0) == pytest.approx([0.8, 0.2, 0])
    assert tempered([64, 16, 0], 2.0) == pytest.approx([2 / 3, 1 / 3, 0])
