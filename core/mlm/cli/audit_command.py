"""mlm audit"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, when


@click.command()
@click.argument("action", type=click.Choice(["show", "verify"]), default="show")
@click.option("--limit", default=30, show_default=True, help="Newest rows shown.")
@json_option
def audit(action: str, limit: int, as_json: bool) -> None:
    """Show the audit log, or verify that its chain is whole (exit code 1 where it is not)."""
    log = open_workspace().registry.audit
    if action == "show":
        events = log.events(limit=limit)
        if as_json:
            print_json(events)
        for event in [] if as_json else reversed(events):
            detail = ", ".join(f"{key}={value}" for key, value in event.detail.items())
            click.echo(f"{event.id:>5}  {when(event.at)}  {event.by:<16}{event.action:<20}{event.subject}  {detail}")
        return
    check = log.verify()
    if as_json:
        print_json(check)
    elif check.ok:
        click.echo(f"the audit log is whole: {check.rows} rows, each chained to the one before")
    else:
        click.echo(f"the audit log was touched at row {check.first_bad}: {check.reason}", err=True)
    if not check.ok:
        raise SystemExit(1)
