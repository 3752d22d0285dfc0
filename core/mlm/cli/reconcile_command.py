"""mlm reconcile"""

from __future__ import annotations

import time

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json


@click.command()
@click.option("--yes", is_flag=True, help="Approve what needs approval, in your name.")
@click.option("--watch", is_flag=True, help="Repeat until interrupted.")
@click.option("--every", default=10.0, show_default=True, help="Seconds between two looks of --watch.")
@click.option("--exit-code", is_flag=True, help="Exit with 3 while something is waited for.")
@click.option("--quiet", is_flag=True, help="Print nothing.")
@by_option
@json_option
def reconcile(
    yes: bool, watch: bool, every: float, exit_code: bool, quiet: bool, by: str | None, as_json: bool
) -> None:
    """Compare the living system with what should be true, and do what is due.

    It measures live traffic, proposes improvements, runs what an approval made stale, promotes, moves canaries and
    retires. It ends `done`, or `waiting` for somebody's approval, for traffic, or for an endpoint.
    """
    from mlm.cli.watching import watch_run
    from mlm.control import Controller

    workspace = open_workspace()
    silent = as_json or quiet
    while True:
        with watch_run(len(workspace.steps), quiet=silent) as watcher:
            controller = Controller(
                workspace, actor(by), yes, watcher, lambda a: None if silent else click.echo(f"{a.kind:<10}{a.text}")
            )
            result = controller.reconcile()
        if as_json:
            print_json({"state": result.state, "actions": result.actions, "waiting": result.waiting})
        elif not quiet:
            for action in result.waiting:
                click.echo(f"waiting   {action.text}")
            if result.state == "done":
                click.echo("done: nothing is left to do" if not result.actions else "done")
        if not watch:
            break
        time.sleep(every)
    if any(action.failed for action in result.waiting):
        raise SystemExit(1)
    if exit_code and result.state == "waiting":
        raise SystemExit(3)
