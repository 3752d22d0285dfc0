"""mlm run"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json


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
    from mlm.steering import steering

    workspace = open_workspace()
    steering(workspace)
    with watch_run(len(workspace.steps), quiet=as_json) as watcher:
        result = run_steps(workspace, watcher, set(steps) or None)
    if as_json:
        print_json({"run": result.run, "steps": result.steps})
    else:
        counts = {
            status: sum(s.status == status for s in result.steps)
            for status in ("ran", "cached", "failed", "skipped", "waiting")
        }
        told = ", ".join(
            f"{count} {status}" for status, count in counts.items() if count or status in ("ran", "cached")
        )
        click.echo(f"run {result.run}: {told}")
        if result.failed:
            click.echo(f"next: mend it and run again; `mlm --debug run {result.failed[0].name}` shows where it failed")
    if result.failed:
        raise SystemExit(1)
