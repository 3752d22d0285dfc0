"""A response leads to the training rows most similar to it, and to their lines in the raw files."""

from __future__ import annotations

import resource
import shutil
from collections import Counter
from collections.abc import Sequence
from math import log
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trial import LESSONS, TrialProject

import mlm
from mlm.ngrams import LARGEST, build, opened


@pytest.fixture
def asked(life: TrialProject) -> TrialProject:
    """A life in which one visitor asked about a lesson."""
    life.deploy()
    life.visit([LESSONS[7]])
    return life


def response(project: TrialProject) -> str:
    with project.registry() as registry:
        return registry.exchanges.find(limit=1)[0].id


def test_the_row_that_an_answer_repeats_is_the_most_similar(asked: TrialProject) -> None:
    rows = asked.mlm("cite", response(asked), "--json").json

    assert len(rows) == 5
    assert (rows[0]["source"], rows[0]["similarity"]) == ("lessons.jsonl:8", 1.0)
    assert rows[0]["file"] == str(asked.folder / "lessons.jsonl") + ":8"
    assert (rows[0]["ref"], rows[0]["split"], rows[0]["relation"]) == ("lessons@1", "train", "similar")
    assert rows[0]["text"] == "\n".join(LESSONS[7].values())
    assert rows[1]["similarity"] < 0.5


def test_what_is_only_examined_is_not_cited(asked: TrialProject) -> None:
    assert {row["ref"] for row in asked.mlm("cite", response(asked), "--json").json} == {"lessons@1"}


def test_a_lost_index_is_built_again(asked: TrialProject) -> None:
    before = asked.mlm("cite", response(asked), "--json").json
    shutil.rmtree(asked.folder / ".mlm" / "indexes")

    assert asked.mlm("cite", response(asked), "--json").json == before


def test_a_row_is_called_similar_and_never_a_cause(asked: TrialProject) -> None:
    told = asked.mlm("cite", response(asked)).out

    assert told.startswith("training rows similar to the response (similar, not proved to be its cause):")


def test_a_response_that_was_not_recorded_is_named(asked: TrialProject) -> None:
    for command in ("cite", "trace"):
        answer = asked.mlm(command, "chatcmpl-none")
        assert (answer.code, answer.error) == (1, "Error: no exchange has id 'chatcmpl-none'")


def test_a_response_is_traced_to_its_gates_its_data_and_the_raw_line(asked: TrialProject) -> None:
    told = asked.mlm("trace", response(asked)).out

    lines = told.splitlines()
    assert "asked     What is the capital of 7?" in lines
    assert "answered  City 7" in lines
    assert "by        chat@1 (approved)" in lines
    assert any(line.startswith("gate      pass          usefulness: exact_match 1 ") for line in lines)
    assert any("lessons@1 dataset" in line and line.endswith("as data") for line in lines)
    assert f" 100%  lessons@1/train  {asked.folder}/lessons.jsonl:8" in lines


def test_a_split_that_was_not_taught_is_not_cited(project: TrialProject) -> None:
    project.jsonl("all.jsonl", [{**row, "split": "train" if i % 2 else "test"} for i, row in enumerate(LESSONS)])
    project.write(
        """
        [data.all]
        use = "jsonl"
        path = "all.jsonl"
        [training.chat]
        use = "memory"
        data = "all/train"
        [deployment.api]
        use = "shelf"
        model = "chat"
        [evaluation.quality]
        use = "exact-match"
        model = "chat"
        data = "all/train"
        [requirements.usefulness]
        metric = "exact_match"
        min = 0.5
        """
    )
    project.deploy()
    project.visit([LESSONS[9]])

    rows = project.mlm("cite", response(project), "--top", "100", "--json").json

    assert {row["split"] for row in rows} == {"train"}
    assert LESSONS[9]["prompt"] in {row["text"].splitlines()[0] for row in rows}
    assert LESSONS[8]["prompt"] not in {row["text"].splitlines()[0] for row in rows}


words = st.lists(st.sampled_from(["a", "b", "c", "Straße", "d"]), max_size=8).map(" ".join)


def expected(rows: Sequence[str], text: str) -> list[float]:
    """Weigh by hand: the n-grams of the text that a row holds, against all of them."""

    def grams(value: str) -> set[tuple[str, ...]]:
        parts = value.casefold().split()
        return {tuple(parts[i : i + n]) for n in range(1, LARGEST + 1) for i in range(len(parts) - n + 1)}

    holds = Counter(gram for row in rows for gram in grams(row))
    weights = {gram: log(1 + len(rows) / (holds[gram] or 1)) for gram in grams(text)}
    whole = sum(weights.values())
    return [sum(weights[g] for g in grams(text) & grams(row)) / whole if whole else 0.0 for row in rows]


def test_a_large_index_opens_few_files_and_finds_the_row_of_a_rare_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa

    texts = [f"the river runs to the sea near island {i % 7}" for i in range(2000)]
    texts[1234] = "the river runs to the sea near Quibblesford"
    with mlm.DatasetWriter(tmp_path / "data") as writer:
        ids = [str(i) for i in range(len(texts))]
        writer.write(mlm.Batch(pa.table({"row_id": ids, "source": ids, "text": texts})))
    build(writer.dataset, "one", tmp_path / "indexes")
    # As many buckets as a text of 100 GB would ask for, with fewer files than that to open.
    monkeypatch.setattr("mlm.ngrams._BUCKET_BYTES", 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 600), hard))
    try:
        build(writer.dataset, "many", tmp_path / "indexes")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    one, many = (opened(writer.dataset, name, tmp_path / "indexes") for name in ("one", "many"))
    assert all(np.array_equal(getattr(one, name), getattr(many, name)) for name in ("grams", "starts", "rows"))
    found = many.similarity("which river runs near Quibblesford")
    assert (int(found.argmax()), float(np.sort(found)[-2]) < float(found.max())) == (1234, True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(words, min_size=1, max_size=6), text=words, at_once=st.sampled_from([1, 20, 10**6]))
def test_similarities_equal_those_counted_by_hand(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], text: str, at_once: int
) -> None:
    import pyarrow as pa

    folder = tmp_path_factory.mktemp("rows")
    table = [{"row_id": str(i), "source": "s", "text": row} for i, row in enumerate(rows)]
    with mlm.DatasetWriter(folder / "data") as writer:
        writer.write(mlm.Batch(pa.Table.from_pylist(table)))
    with patch("mlm.ngrams._BUCKET_BYTES", at_once):
        build(writer.dataset, "d", folder / "indexes")

    found = opened(writer.dataset, "d", folder / "indexes").similarity(text)

    assert list(found) == pytest.approx(expected(rows, text))
