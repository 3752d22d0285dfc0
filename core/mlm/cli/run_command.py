"""mlm run"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.opening import json_option, open_workspace, print_json
from mlm.cli.recall_command import tell_of_recalls

if TYPE_CHECKING:
    from mlm.results import StepResult
    from mlm_registry import Registry


@click.command()
@click.argument("steps", nargs=-1)
@json_option
def run(steps: tuple[str, ...], as_json: bool) -> None:
    """Run every step that is not up to date, or only STEPS with all that they need.

    What is cached does not run. A failed step leaves nothing half-written, and its error is in the registry. An
    interrupted run goes on where it stopped. Exit code 1 where a step failed.
    """
    from mlm.cli.watching import watch_run
    from mlm.runner import run as run_steps
    from mlm.standing import recalled_among
    from mlm.steering import steering

    workspace = open_workspace()
    steering(workspace)
    with watch_run(len(workspace.steps), quiet=as_json) as watcher:
        result = run_steps(workspace, watcher, set(steps) or None)
    recalled = recalled_among(workspace.registry, [step.output for step in result.steps])
    if as_json:
        print_json({"run": result.run, "steps": result.steps, "recalled": recalled})
    else:
        counts = {
            status: sum(s.status == status for s in result.steps)
            for status in ("ran", "cached", "failed", "skipped", "waiting")
        }
        told = ", ".join(
            f"{count} {status}" for status, count in counts.items() if count or status in ("ran", "cached")
        )
        click.echo(f"run {result.run}: {told}")
        tell_of_recalls(recalled)
        if result.failed:
            click.echo(f"next: mend it and run again; `mlm --debug run {result.failed[0].name}` shows where it failed")
            _where_rows_went(workspace.registry, result.failed)
    if result.failed:
        raise SystemExit(1)


def _where_rows_went(registry: Registry, failed: list[StepResult]) -> None:
    """Say how to look at the rows that failed data steps had removed before."""
    from mlm.rows.unfinished import has_removed

    for step in failed:
        if step.stage == "data" and has_removed(registry, step.name):
            click.echo(f"      `mlm data sample {step.name} --removed --unfinished` shows rows that it had removed")
