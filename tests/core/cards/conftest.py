"""A chat model that was recorded by hand: two stages of training, one of alignment, an export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trial import TrialProject

from mlm.artifacts import Dataset
from mlm.batches import Batch
from mlm.dataset_writer import DatasetWriter
from mlm_registry import Arm, Execution, Judgement, Node, Registry, Score, SignalRow

PROBLEM = """
[problem]
name = "atlas"
task = "chat"
purpose = "Answer questions about a small country."
owner = "team@example.org"
risk_tier = "limited"
abuse = ["weapons", "malware"]
constraints = ["runs on one core"]
license = "Apache-2.0"
languages = ["en", "de"]
"""
REQUIREMENTS = """
[requirements]
usefulness = { metric = "exact_match", min = 0.8, by = "quality" }
truth = { metric = "hallucination_rate", max = 0.1 }
calm = { metric = "toxicity_rate", max = 0.02 }
"""
CHAIN = [
    {"step": "jsonl", "rows_in": 10, "rows_out": 9, "changed": 0, "removed": {"schema": 1}},
    {"step": "pii", "rows_in": 9, "rows_out": 9, "changed": 3, "removed": {}},
    {"step": "exact", "rows_in": 9, "rows_out": 7, "changed": 0, "removed": {"duplicate": 2}},
]


def execution(step: str, stage: str, plugin: str, **more: Any) -> Execution:
    values: dict[str, Any] = {"run": "r1", "status": "ran", "distribution_version": "0.1.0", "seconds": 90.0, "seed": 7}
    return Execution(step=step, stage=stage, plugin=plugin, **{**values, **more})


def written(folder: Path) -> Dataset:
    import pyarrow as pa

    columns = {"row_id": list("abcdefg"), "source": ["f"] * 7, "text": ["x"] * 7, "score": [0.5] * 7}
    table = pa.table({**columns, "split": ["train"] * 5 + ["test"] * 2})
    with DatasetWriter(folder) as writer:
        writer.write(Batch(table))
    return writer.dataset


def record(registry: Registry, project: Path, place: Path) -> None:
    """Store facts -> chat -> safe, a score that passes, one that fails, a canary, an approval."""
    digest = registry.objects.put(written(place).path)
    facts = Node(
        "facts", "dataset", digest, size_bytes=1234,
        metadata={"rows": {"train": 5, "test": 2}, "removed": {"schema": 1, "duplicate": 2}, "chain": CHAIN},
    )  # fmt: skip
    settings = {"path": str(project / "facts.jsonl"), "steps": ["pii", {"use": "exact", "columns": ["text"]}]}
    [facts] = registry.finish(execution("facts", "data", "mlm:sources/jsonl", settings=settings), outputs=[facts])
    raw = Node("raw", "dataset", "f" * 64, metadata={"rows": {"train": 4}, "chain": CHAIN[:1]})
    [raw] = registry.finish(execution("raw", "data", "mlm:sources/text"), outputs=[raw])
    chat = Node(
        "chat", "model", "c" * 64, metadata={"library": "transformers", "parameters": 500000, "training_flops": 3e12}
    )
    [chat] = registry.finish(
        execution("chat", "training", "mlm:trainers/sft", settings={"learning_rate": 1e-3}, cost_usd=0.002),
        outputs=[chat], inputs=[("data", facts.id, "")],
    )  # fmt: skip
    safe = Node("safe", "model", "a" * 64, size_bytes=2_000_000, metadata={"library": "transformers"})
    environment = {"python": "3.11.7", "pid": "12"}
    [safe] = registry.finish(
        execution("safe", "alignment", "mlm:trainers/dpo", environment=environment),
        outputs=[safe], inputs=[("data", raw.id, ""), ("model", chat.id, "")],
    )  # fmt: skip
    shared: dict[str, Any] = {"model": safe.digest, "data": facts.digest, "evaluator": "e"}
    scores = [
        Score("exact_match", 0.95, step="quality", n=200, low=0.91, high=0.98, unit="share", **shared),
        Score("hallucination_rate", 0.3, step="invention", n=50, low=0.2, high=0.4, unit="share", **shared),
    ]
    registry.finish(
        execution("quality", "evaluation", "mlm:evaluators/exact-match"),
        outputs=[Node("quality", "report", "e" * 64)], inputs=[("model", safe.id, ""), ("data", facts.id, "")],
        scores=scores,
    )  # fmt: skip
    registry.judge(Judgement(safe.digest, "gate", "usefulness", "pass", "met", "exact_match 0.95 | fine"))
    registry.judge(Judgement(safe.digest, "canary", "rollout", "fail", "rolled-back", "errors rose"))
    registry.record_signals([SignalRow("api", "hallucination_rate", 0.5, safe.id, 40, 0.4, 0.6, "share", at=2.0)])
    registry.models.approve("safe@1", "promote", by="ada", reason="all gates pass")
    registry.models.set_state(safe.id, "approved", by="ada", reason="good")
    registry.models.move_alias("production", safe.id, by="ada", reason="good")
    registry.deployments.desire("api", [Arm(safe.id, 1.0)], by="ada", reason="go")


@pytest.fixture
def recorded(project: TrialProject, tmp_path: Path) -> TrialProject:
    pytest.importorskip("pyarrow")
    project.write(REQUIREMENTS, PROBLEM)
    with project.registry() as registry:
        record(registry, project.folder, tmp_path / "facts")
    return project
