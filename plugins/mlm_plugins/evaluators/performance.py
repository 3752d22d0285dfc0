"""How fast, how large and how dear is the model on this machine?"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import ClassVar

from attrs import define, frozen, validators

import mlm
from mlm.measures import mean, quantile
from mlm_plugins.evaluators.answers import Answered, encode, misfit, questions, reported

SECONDS_PER_HOUR = 3600
_POSITIVE = (0.0, math.inf)
WEIGHTS = (".safetensors", ".onnx", ".data")


@frozen
class Round:
    """One pass over a batch of prompts."""

    tokens: int
    seconds: float
    cpu_seconds: float


@define(kw_only=True)
class Performance:
    """Latency, throughput, memory and cost of greedy answers, measured on a fresh engine."""

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (
        mlm.MetricSpec("latency_p50_seconds", "seconds", "lower", "median time of one answer, one at a time"),
        mlm.MetricSpec("latency_p95_seconds", "seconds", "lower", "95th percentile of the time of one answer"),
        mlm.MetricSpec("tokens_per_second", "tokens/s", "higher", "new tokens a second, in batches"),
        mlm.MetricSpec("memory_bytes", "bytes", "lower", "memory that loading and running the model took"),
        mlm.MetricSpec("cost_per_1k_tokens_usd", "USD", "lower", "processor time of 1000 new tokens, in batches"),
    )

    machine_bound: ClassVar[bool] = True

    requests: int = mlm.setting(100, validator=validators.ge(1), help="answers timed one at a time")
    rounds: int = mlm.setting(20, validator=validators.ge(1), help="batches timed")
    batch_size: int = mlm.setting(8, validator=validators.ge(1), unit="rows", help="prompts of a batch")
    max_tokens: int = mlm.setting(64, validator=validators.ge(1), unit="tokens", help="longest answer")

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model, data: mlm.Dataset, context: mlm.Context) -> mlm.Report:
        rows = questions(data, completions=False)
        before = resident_bytes()
        engine = context.load(model, fresh=True)
        try:
            encoded = encode(model, engine, rows[: self.requests])
            asked = [Answered(one, "", misfit(engine, ids)) for one, ids in zip(rows, encoded, strict=False)]
            prompts = [ids for ids, one in zip(encoded, asked, strict=True) if not one.unanswered]
            if not prompts:
                name = data.ref or data.path.name
                raise mlm.DataError(f"no prompt of {name} can be timed; of row {rows[0].row_id} {asked[0].unanswered}")
            engine.generate(prompts[:1], self._sampling())  # the first answer pays for allocations
            latencies = self._latencies(engine, prompts, context)
            rounds = self._rounds(engine, prompts)
            after = resident_bytes()
        finally:
            engine.close()
        measures = (
            quantile("latency_p50_seconds", latencies, 0.5, unit="seconds"),
            quantile("latency_p95_seconds", latencies, 0.95, unit="seconds"),
            _throughput(rounds, context.seed),
            _memory(model.path, before, after),
            _cost(rounds, context),
        )
        return reported(measures, (), asked, engine, threads=context.threads, resident_bytes=after)

    def _sampling(self) -> mlm.Sampling:
        return mlm.Sampling(max_tokens=self.max_tokens)

    def _latencies(self, engine: mlm.Engine, prompts: Sequence[list[int]], context: mlm.Context) -> list[float]:
        seconds = []
        for number in range(self.requests):
            start = perf_counter()
            engine.generate([prompts[number % len(prompts)]], self._sampling())
            seconds.append(perf_counter() - start)
            context.progress(number + 1, self.requests)
        return seconds

    def _rounds(self, engine: mlm.Engine, prompts: Sequence[list[int]]) -> list[Round]:
        return [self._round(engine, prompts, number * self.batch_size) for number in range(self.rounds)]

    def _round(self, engine: mlm.Engine, prompts: Sequence[list[int]], first: int) -> Round:
        batch = [prompts[(first + i) % len(prompts)] for i in range(self.batch_size)]
        start, cpu = perf_counter(), process_time()
        answers = engine.generate(batch, self._sampling())
        seconds, cpu_seconds = perf_counter() - start, process_time() - cpu
        return Round(sum(len(answer.ids) for answer in answers), seconds, cpu_seconds)


def _throughput(rounds: Sequence[Round], seed: int) -> mlm.Measure:
    speeds = [r.tokens / r.seconds for r in rounds]
    return mean("tokens_per_second", speeds, unit="tokens/s", seed=seed, within=_POSITIVE)


def _cost(rounds: Sequence[Round], context: mlm.Context) -> mlm.Measure:
    price = context.problem.cost_per_cpu_hour_usd / SECONDS_PER_HOUR
    costs = [1000 * price * r.cpu_seconds / r.tokens for r in rounds if r.tokens]
    return mean("cost_per_1k_tokens_usd", costs, unit="USD", seed=context.seed, within=_POSITIVE)


def _memory(folder: Path, before: int, after: int) -> mlm.Measure:
    """Measure the growth of resident memory; memory that the process reused makes it too small, so weights bound it."""
    weights = sum(file.stat().st_size for file in folder.rglob("*") if file.suffix in WEIGHTS)
    grown = after - before
    note = "growth of this process's resident memory" if grown >= weights else "size of the weights on disk"
    return mlm.Measure("memory_bytes", float(max(grown, weights)), 1, unit="bytes", note=note)


def resident_bytes() -> int:
    """Return the memory that this process holds now (Linux), or its peak where the system does not say."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
