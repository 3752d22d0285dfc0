"""What holds for every transform: no row is lost, and batches do not matter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlm_plugins.transforms.boilerplate import Boilerplate
from mlm_plugins.transforms.contract import Column
from mlm_plugins.transforms.decontaminate import Decontaminate
from mlm_plugins.transforms.exact import Exact
from mlm_plugins.transforms.label import Label
from mlm_plugins.transforms.language import Language
from mlm_plugins.transforms.minhash import MinHash
from mlm_plugins.transforms.mojibake import Mojibake
from mlm_plugins.transforms.normalize import Normalize
from mlm_plugins.transforms.paragraphs import Paragraphs
from mlm_plugins.transforms.pii import Pii
from mlm_plugins.transforms.quality import Quality
from mlm_plugins.transforms.sample import Sample
from mlm_plugins.transforms.schema import Schema
from mlm_plugins.transforms.secrets import Secrets
from mlm_plugins.transforms.split import Split
from mlm_plugins.transforms.toxicity import Toxicity
from mlm_plugins.transforms.validate import Validate

ROW_WISE: dict[str, Callable[[Path], Any]] = {
    "schema": lambda folder: Schema(),
    "normalize": lambda folder: Normalize(),
    "pages": lambda folder: Normalize(markup=True, spaces=True),
    "pii": lambda folder: Pii(policy={"card": "drop"}),
    "secrets": lambda folder: Secrets(policy={"assignment": "drop"}),
    "toxicity": lambda folder: Toxicity(),
    "language": lambda folder: Language(),
    "quality": lambda folder: Quality(),
    "documents": lambda folder: Quality(rules=["gopher", "c4", "fineweb"], min_score=0.5),
    "mojibake": lambda folder: Mojibake(),
    "boilerplate": lambda folder: Boilerplate(rules=["web", "c4"], columns=["prompt"]),
    "label": lambda folder: Label(rules={"dangerous": folder / "dangers.txt"}, default="harmless"),
}
WHOLE: dict[str, Callable[[Path], Any]] = {
    "exact": lambda folder: Exact(),
    "minhash": lambda folder: MinHash(threshold=0.5),
    "paragraphs": lambda folder: Paragraphs(columns=["prompt", "completion"], shortest=3),
    "decontaminate": lambda folder: Decontaminate(against=[]),
    "split": lambda folder: Split(test=0.3),
    "sample": lambda folder: Sample(share=0.5),
    "validate": lambda folder: Validate(min_rows=0, columns={"prompt": Column(), "completion": Column()}),
}

pieces = st.sampled_from(
    [
        "What is it?",
        "what  is it",
        "<p>Hello</p>",
        "&amp;",
        "joe@example.org",
        "4111 1111 1111 1111",
        "password = 'hY7fbK2pQx9w'",
        "idiot",
        "a bomb",
        "Das ist nicht die Frage",
        "",
        " ",
        "###",
        "\x00",
        "\U0001f600 e\u0301",
        "the same words again and again",
    ]
)
text = st.none() | st.lists(pieces, max_size=4).map(" ".join)
columns = st.lists(st.tuples(text, text), min_size=1, max_size=12).map(
    lambda rows: {"prompt": [row[0] for row in rows], "completion": [row[1] for row in rows]}
)
slow_enough = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dangers.txt").write_text("bomb\n")
    return tmp_path


@pytest.mark.parametrize("name", [*ROW_WISE, *WHOLE])
@slow_enough
@given(columns=columns)
def test_every_row_stays_or_is_removed_with_a_reason(name: str, columns: Any, apply: Any, folder: Path) -> None:
    made = apply((ROW_WISE | WHOLE)[name](folder), columns)

    removed = list(made.removed())
    ids = [row["row_id"] for row in made.rows()] + [row["row_id"] for row in removed]
    assert sorted(ids) == sorted(f"r{i}" for i in range(len(columns["prompt"])))
    assert all(row["reason"] and row["detail"] and row["step"] == "clean" for row in removed)


@pytest.mark.parametrize("name", ROW_WISE)
@slow_enough
@given(columns=columns, size=st.integers(1, 12))
def test_the_size_of_batches_does_not_matter(name: str, columns: Any, size: int, apply: Any, folder: Path) -> None:
    small = apply(ROW_WISE[name](folder), columns, size=size)
    large = apply(ROW_WISE[name](folder), columns)

    # Null reads as empty, as `Batch.strings` has it.
    assert [{k: v or "" for k, v in row.items()} for row in small.rows()] == [
        {k: v or "" for k, v in row.items()} for row in large.rows()
    ]
    assert list(small.removed()) == list(large.removed())
    counts = [json.loads((made.path / "statistics.json").read_text()) for made in (small, large)]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", [*ROW_WISE, *WHOLE])
def test_an_empty_dataset_stays_empty(name: str, apply: Any, folder: Path) -> None:
    assert apply((ROW_WISE | WHOLE)[name](folder), {"prompt": []}).num_rows == 0
