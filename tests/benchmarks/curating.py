"""A data step whose row-wise transforms share one pass, beside one pass over the stored rows for each transform."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.models import context
from tests.benchmarks.texts import sentences, with_personal_data

import mlm
from mlm.calls import Plugin
from mlm.curation import curate
from mlm.ledger import Ledger
from mlm.plugins import Catalogue

CHAIN = ("schema", "normalize", "pii", "quality", "toxicity")


@benchmark(
    "data-step",
    "JSON lines through schema, normalize, pii, quality, toxicity: rows a CPU second",
    peer="a pass over stored rows for each",
    goal=">= 1",
    rounds=5,
)
def curating(size: Size) -> Iterator[Pair]:
    count = size.of(5_000, 200)
    file = size.folder / "rows.jsonl"
    rows = with_personal_data(sentences(count, 60), 0.25)
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))
    catalogue = Catalogue.discover()
    source = _plugin(catalogue, "sources", "jsonl", path=file)
    chain = [_plugin(catalogue, "transforms", name) for name in CHAIN]
    numbers = itertools.count()

    def rate(work: Callable[[mlm.Context], mlm.Dataset]) -> float:
        where = context(size.folder / f"out{next(numbers)}")
        started = time.process_time()
        made = work(where)
        seconds = time.process_time() - started
        assert made.num_rows > count / 2
        shutil.rmtree(where.work)
        return count / seconds

    yield (
        lambda: rate(lambda where: curate(source, chain, [], Ledger(Path()), where)),
        lambda: rate(lambda where: _one_by_one(source, chain, where)),
    )


def _plugin(catalogue: Catalogue, kind: str, name: str, **settings: Path) -> Plugin:
    ref = catalogue.find(kind, name)
    return Plugin(ref, catalogue.load(ref)(**settings))


def _one_by_one(source: Plugin, chain: list[Plugin], where: mlm.Context) -> mlm.Dataset:
    import pyarrow as pa

    data = source.read(context(where.folder / "read"))
    for plugin in chain:
        stage = context(where.folder / plugin.ref.name)
        with stage.writer() as writer:
            for batch in data.batches(1024):
                writer.write(plugin.map(mlm.Batch(pa.Table.from_batches([batch])), stage))
        data = writer.dataset
    return data
