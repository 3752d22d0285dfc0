"""Pages become their main text: as well as the extractor's authors published, on other people's pages."""

from __future__ import annotations

import gzip
import json
import os
import re
import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest

import mlm
from mlm_plugins.transforms.extract_html import ExtractHtml

PARAGRAPH = "The ferry to the island leaves at nine in the morning, and comes back when the lamps are lit. " * 4
PAGE = (
    f"<html><head><title>Ferry</title></head><body><nav>Home</nav><article><p>{PARAGRAPH}</p></article></body></html>"
)


def batch(**columns: list[object]) -> mlm.Batch:
    count = len(next(iter(columns.values())))
    ids = [str(n) for n in range(count)]
    return mlm.Batch(pa.table({"row_id": ids, "source": ids, **columns}))


def test_the_main_text_takes_the_place_of_the_page() -> None:
    made = ExtractHtml().mlm_map(batch(html=[PAGE, "<html></html>", None, PAGE.encode().decode()]))

    assert made.table.column("text").to_pylist() == [PARAGRAPH.strip()] * 2
    assert made.table.column("title").to_pylist() == ["Ferry"] * 2
    assert "html" not in made.table.column_names
    assert [(gone.row_id, gone.reason) for gone in made.removals] == [("1", "no-text"), ("2", "no-text")]


def test_pages_in_a_text_column_are_changed_there() -> None:
    made = ExtractHtml(column="text").mlm_map(batch(text=[PAGE]))

    assert made.table.column("text").to_pylist() == [PARAGRAPH.strip()]
    assert [change.reason for change in made.changes] == ["extracted"]


def test_rows_without_the_column_are_refused() -> None:
    with pytest.raises(mlm.DataError, match="no column 'html'"):
        ExtractHtml().mlm_map(batch(text=["a"]))


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    found = (tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3)))
    return Counter(shingle for shingle in found if shingle)


def f1(truth: Mapping[str, str], found: Mapping[str, str]) -> float:
    """Return the benchmark's F1 (evaluate.py of scrapinghub/article-extraction-benchmark).

    Precision and recall over 4-shingles of words are taken for each page, and averaged before they are combined.
    """
    precisions, recalls = [], []
    for key, text in truth.items():
        true, given = shingles(text), shingles(found[key])
        both = (true & given).total()
        if given:
            precisions.append(both / given.total())
        if true:
            recalls.append(both / true.total())
    precision, recall = statistics.mean(precisions), statistics.mean(recalls)
    return 2 * precision * recall / (precision + recall)


def test_the_measure_is_the_benchmark_s() -> None:
    assert f1({"a": "a b c d e"}, {"a": "a b c d e"}) == 1
    # Two shingles each, one of them shared, and a page of which all is found with as much again.
    assert f1({"a": "a b c d e", "b": "a b c d"}, {"a": "x a b c d", "b": "a b c d e"}) == pytest.approx(
        2 * 0.5 * 0.75 / 1.25
    )


@pytest.mark.real
def test_extraction_is_as_good_as_what_was_published(record_property: Callable[[str, object], None]) -> None:
    root = os.environ.get("MLM_REAL_DATA")
    if not root:
        pytest.skip("MLM_REAL_DATA is not set")
    folder = Path(root) / "curation" / "article_extraction"
    truth = {key: value["articleBody"] for key, value in json.loads((folder / "ground-truth.json").read_text()).items()}
    published = json.loads((folder / "trafilatura.json").read_text())["output"]
    keys = list(truth)
    pages = [gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes()) for key in keys]

    rows = mlm.Batch(pa.table({"row_id": keys, "source": keys, "html": pages}))
    made = ExtractHtml().mlm_map(rows)

    texts = dict.fromkeys(keys, "") | dict(
        zip(made.table.column("row_id").to_pylist(), made.table.column("text").to_pylist(), strict=True)
    )
    ours, theirs = f1(truth, texts), f1(truth, {key: published[key]["articleBody"] for key in keys})
    record_property("f1", ours)
    record_property("published f1", theirs)
    assert ours >= theirs
