"""The benchmarks run and write what they measured; how fast they are is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.benchmarks.measuring import Result

ROOT = Path(__file__).parents[2]
KEYS = {"name": str, "ours": float, "peer": float, "peer_name": str, "ratio": float, "goal": str, "ok": bool}


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_what_was_measured_is_printed_and_written(tmp_path: Path) -> None:
    out = tmp_path / "build" / "bench.json"

    done = bench("--quick", "--only", "record", "--only", "closure", "--out", out)

    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [row["name"].partition(":")[0] for row in rows] == ["record", "closure"]
    for row in rows:
        assert {key: type(value) for key, value in row.items()} == KEYS
        assert row["ours"] > 0
        assert row["peer"] > 0
        assert row["goal"].startswith(("<= ", ">= "))
    assert "ratio = ours / peer" in done.stdout
    assert "record: one execution" in done.stdout


def test_an_unknown_benchmark_is_a_usage_error(tmp_path: Path) -> None:
    done = bench("--only", "nothing", "--out", tmp_path / "bench.json")

    assert done.returncode == 2
    assert "no benchmark is named 'nothing' (benchmarks: record, " in done.stderr


@pytest.mark.parametrize(
    ("goal", "ratio", "ok"), [("<= 1.5", 1.5, True), ("<= 1.5", 1.6, False), (">= 2", 2.0, True), (">= 2", 1.9, False)]
)
def test_a_cost_stays_below_its_goal_and_a_rate_above(goal: str, ratio: float, ok: bool) -> None:
    assert Result("n", 1.0, 1.0, "peer", ratio, goal).ok == ok
