"""Record runs with MLflow's client and its SQLAlchemy store; prints milliseconds of CPU a run.

Each run has what our benchmark's execution has: 20 settings, 67 measures, 3 inputs. It stores no artifacts.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Metric, Param

CURVE, SCORES, SETTINGS, INPUTS = 50, 17, 20, 3


def main() -> None:
    """Take a folder, and how many runs to record."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    found = client.get_experiment_by_name("bench")
    experiment = found.experiment_id if found else client.create_experiment("bench", artifact_location=str(folder))
    record(client, experiment)
    started = time.process_time()
    for _ in range(count):
        record(client, experiment)
    print(1000 * (time.process_time() - started) / max(count, 1))


def record(client: MlflowClient, experiment: str) -> None:
    """Record one run from its start to its end."""
    now = int(1000 * time.time())
    run = client.create_run(experiment).info.run_id
    client.log_inputs(
        run, [DatasetInput(Dataset(f"data{i}", f"{i:08x}", "local", '{"uri": "rows.jsonl"}')) for i in range(INPUTS)]
    )
    client.log_batch(
        run,
        metrics=[
            *(Metric("loss", step / 3, now, step) for step in range(CURVE)),
            *(Metric(f"metric_{i}", i / 17, now, 0) for i in range(SCORES)),
        ],
        params=[Param(f"setting_{i}", str(i / 7)) for i in range(SETTINGS)],
    )
    client.set_terminated(run)


if __name__ == "__main__":
    main()
