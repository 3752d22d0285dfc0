"""mlm reconcile"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json, warn

if TYPE_CHECKING:
    from mlm.actions import Action
    from mlm.control import Reconciliation
    from mlm.workspace import Workspace


@click.command()
@click.option("--yes", is_flag=True, help="Approve what needs approval, in your name.")
@click.option("--watch", is_flag=True, help="Repeat until interrupted.")
@click.option(
    "--every",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds between two looks of --watch.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 3 while something is waited for.")
@click.option("--quiet", is_flag=True, help="Print nothing.")
@click.option("--reject", type=int, default=None, metavar="ID", help="Reject proposal ID, and reconcile.")
@click.option("--revoke", type=int, default=None, metavar="ID", help="Revoke amendment ID, and reconcile.")
@by_option
@json_option
def reconcile(
    yes: bool,
    watch: bool,
    every: float,
    exit_code: bool,
    quiet: bool,
    reject: int | None,
    revoke: int | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Compare the living system with what should be true, and do what is due.

    It measures live traffic, proposes improvements, runs what an approval made stale, promotes, moves canaries and
    retires. It ends `done`, or `waiting` for somebody's approval, for traffic, or for an endpoint.
    """
    from mlm.improving import reject as reject_proposal
    from mlm.improving import revoke as revoke_amendment

    workspace = open_workspace()
    name = actor(by)
    if reject is not None:
        reject_proposal(workspace, reject, name)
    if revoke is not None:
        revoke_amendment(workspace, revoke, name)
    result = _look(workspace, name, yes, as_json, quiet)
    while watch:
        time.sleep(every)
        result = _look_again(workspace.folder, name, yes, as_json, quiet) or result
    if any(action.failed for action in result.waiting):
        raise SystemExit(1)
    if exit_code and result.state == "waiting":
        raise SystemExit(3)


def _look_again(folder: Path, by: str, yes: bool, as_json: bool, quiet: bool) -> Reconciliation | None:
    """Look with the project file as it is now; an error is told and does not end the watch."""
    from mlm.cli.main import told
    from mlm.workspace import Workspace

    try:
        with Workspace(folder, report=warn) as workspace:
            return _look(workspace, by, yes, as_json, quiet)
    except Exception as error:
        told(error)
        return None


def _look(workspace: Workspace, by: str, yes: bool, as_json: bool, quiet: bool) -> Reconciliation:
    from mlm.cli.watching import watch_run
    from mlm.control import Controller

    def tell(action: Action) -> None:
        if not (as_json or quiet):
            click.echo(f"{action.kind:<10}{action.text}")

    with watch_run(len(workspace.steps), quiet=as_json or quiet) as watcher:
        result = Controller(workspace, by, yes, watcher, tell).reconcile()
    if as_json:
        print_json({"state": result.state, "actions": result.actions, "waiting": result.waiting})
    elif not quiet:
        for action in result.waiting:
            click.echo(f"waiting   {action.text}")
        if result.state == "done":
            click.echo("done" if result.actions else "done: nothing is left to do")
    return result
