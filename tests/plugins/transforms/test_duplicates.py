"""Copies and near copies are removed, and what they copy is named."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.transforms.exact import Exact
from mlm_plugins.transforms.minhash import MinHash


def details(made: mlm.Dataset) -> dict[str, str]:
    return {row["row_id"]: row["detail"] for row in made.removed()}


def ids(made: mlm.Dataset) -> list[str]:
    return [row["row_id"] for row in made.rows()]


def test_exact_copies_are_removed_whatever_their_case_and_spaces(apply: Any) -> None:
    made = apply(Exact(), {"text": ["One  two", "one two", "three", "ONE\ttwo ", "one two."]})

    assert details(made) == {"r1": "same as r0", "r3": "same as r0"}


def test_exact_compares_all_text_columns_unless_told_otherwise(apply: Any) -> None:
    rows = {"prompt": ["a b", "a", "a b"], "completion": ["c", "b c", "d"]}

    assert details(apply(Exact(), rows)) == {}
    assert details(apply(Exact(columns=["prompt"]), rows)) == {"r2": "same as r0"}
    with pytest.raises(mlm.ProjectError, match="no column 'promt'"):
        apply(Exact(columns=["promt"]), rows)


def jaccard(one: str, other: str, size: int = 5) -> float:
    folded = [" ".join(text.casefold().split()) for text in (one, other)]
    sets = [{t[i : i + size] for i in range(len(t) - size + 1)} or {t} for t in folded]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def greedy(texts: list[str], threshold: float) -> list[int]:
    """Keep each text that is near no kept text: what MinHash approximates, pair by pair."""
    kept: list[int] = []
    for place, text in enumerate(texts):
        if all(jaccard(text, texts[other]) < threshold for other in kept):
            kept.append(place)
    return kept


def near_copies(seed: int) -> list[str]:
    """Sentences and copies of them with a few letters changed."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randint(2, 9))) for _ in range(200)]
    texts = [" ".join(chance.choices(words, k=30)) for _ in range(60)]
    for text in chance.sample(texts, 40):
        letters = list(text)
        for place in chance.sample(range(len(letters)), chance.randint(0, 6)):
            letters[place] = "z"
        texts.append("".join(letters))
    return chance.sample(texts, len(texts))


@pytest.mark.parametrize("threshold", [0.6, 0.85, 1.0])
def test_minhash_finds_what_comparing_all_pairs_finds(apply: Any, threshold: float) -> None:
    texts = near_copies(seed=3)

    made = apply(MinHash(threshold=threshold), {"text": texts})

    assert ids(made) == [f"r{place}" for place in greedy(texts, threshold)]


def test_minhash_names_the_kept_row_and_the_similarity(apply: Any) -> None:
    texts = ["The festival of Velmara is Kite Morning.", "What else?", "The  festival of VELMARA is Kite Morning!"]

    made = apply(MinHash(), {"text": texts})

    # 36 runs of 5 characters in each, 35 of them common: 35 / 37.
    assert details(made) == {"r2": f"near r0, similarity {35 / 37:.3f}"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.lists(st.text("ab ", max_size=12), min_size=1, max_size=12), st.sampled_from([0.3, 0.8]))
def test_every_removed_row_is_near_a_kept_row_before_it(apply: Any, texts: list[str], threshold: float) -> None:
    made = apply(MinHash(threshold=threshold, shingle=3), {"text": texts})

    kept = ids(made)
    for row_id, detail in details(made).items():
        first = detail.split()[1].rstrip(",")
        assert first in kept
        assert int(first[1:]) < int(row_id[1:])
        assert jaccard(texts[int(first[1:])], texts[int(row_id[1:])], 3) >= threshold


def test_minhash_compares_short_texts_and_leaves_empty_ones_alone(apply: Any) -> None:
    assert details(apply(MinHash(), {"text": ["", "ab", "AB", "", "abc"]})).keys() == {"r2"}


def test_minhash_of_words_finds_edited_documents_and_leaves_questions_alone(apply: Any) -> None:
    words = [f"w{n}" for n in range(100)]
    edited = [word if n % 50 else "changed" for n, word in enumerate(words)]
    texts = [" ".join(words), " ".join(edited), "What is the capital of Velmara?", "What is the capital of Velmora?"]

    by_words = apply(MinHash(threshold=0.8, unit="words"), {"text": texts})
    by_characters = apply(MinHash(threshold=0.7), {"text": texts[2:]})

    assert details(by_words) == {"r1": f"near r0, similarity {90 / 102:.3f}"}
    # 27 runs of five characters in each question, of which four hold the changed letter: 23 / 31.
    assert details(by_characters) == {"r1": f"near r0, similarity {23 / 31:.3f}"}


@pytest.mark.parametrize("plugin", [Exact(), MinHash(threshold=0.6)])
def test_the_files_of_a_dataset_do_not_matter(plugin: Any, make_context: Any, tmp_path: Any) -> None:
    import pyarrow as pa

    texts = near_copies(seed=5)
    texts += texts[:7]
    rows = pa.table({"row_id": [f"r{n}" for n in range(len(texts))], "source": ["f"] * len(texts), "text": texts})
    found = []
    for size in (1, 10, len(texts)):
        parts = []
        for start in range(0, len(texts), size):
            with mlm.DatasetWriter(tmp_path / f"{size}-{start}") as writer:
                writer.write(mlm.Batch(rows.slice(start, size)))
            parts.append(writer.dataset)
        made = plugin.mlm_transform(evolve(parts[0], more=tuple(parts[1:])), make_context(f"out{size}"))
        found.append((ids(made), details(made)))

    assert found[0] == found[1] == found[2]
    assert found[0][1]


def test_what_is_on_disk_meanwhile_is_gone_afterwards(make_context: Any, store: Any, tmp_path: Any) -> None:
    context = evolve(make_context(), work=tmp_path / "work")

    MinHash().mlm_transform(store({"text": ["one", "two"]}), context)

    assert list(context.work.iterdir()) == []


@pytest.mark.real
def test_tool_calls_that_were_published_as_different_stay(apply: Any) -> None:
    """GPTeacher's Toolformer, published without exact copies and at "similarity 0.6", whose measure is not said."""
    folder = os.environ.get("MLM_REAL_DATA")
    if not folder:
        pytest.skip("MLM_REAL_DATA is not set")
    before, after = (
        json.loads((Path(folder) / "dedup" / f"toolformer-{name}-dataset.json").read_text(encoding="utf-8"))
        for name in ("dedupe-only", "similarity-0.6")
    )
    columns = [
        {"prompt": [r["input"] for r in rows], "completion": [r["output"] for r in rows]} for rows in (before, after)
    ]
    whole = [{"text": ["\n".join(row.values()) for row in rows]} for rows in (before, after)]

    near_before, near_after = (apply(MinHash(threshold=0.6), rows) for rows in columns)

    assert [apply(Exact(), rows).num_rows for rows in whole] == [7671, 2396]
    assert near_after.num_rows == 2396
    # Theirs is stricter: it keeps 2,396 of the 7,673.
    assert near_before.num_rows == 5306
    published = {tuple(row.values()) for row in after}
    kept = [tuple(before[int(row_id[1:])].values()) for row_id in ids(near_before)]
    assert sum(row in published for row in kept) == 2350
