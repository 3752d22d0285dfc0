"""mlm audit"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, warn, when

SHOWN = 20


@click.command()
@click.argument("action", type=click.Choice(["show", "verify"]), default="show")
@click.option("--limit", default=30, show_default=True, help="Newest rows shown.")
@click.option("--objects", is_flag=True, help="With verify: hash every stored byte again.")
@json_option
def audit(action: str, limit: int, objects: bool, as_json: bool) -> None:
    """Show the audit log, or verify that nobody touched the registry (exit code 1 where somebody did).

    `verify` walks the chain of the audit log and holds every row of the registry against its seal.
    """
    if action == "show":
        _show(limit, as_json)
    else:
        _verify(objects, as_json)


def _show(limit: int, as_json: bool) -> None:
    events = open_workspace().registry.audit.events(limit=limit)
    if as_json:
        print_json(events)
        return
    for event in reversed(events):
        detail = ", ".join(f"{key}={value}" for key, value in event.detail.items())
        click.echo(f"{event.id:>5}  {when(event.at)}  {event.by:<16}{event.action:<20}{event.subject}  {detail}")


def _verify(objects: bool, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import track

    from mlm.auditing import verify

    console = Console(stderr=True)
    found = verify(
        open_workspace().registry,
        objects=objects,
        watched=lambda digests: track(digests, "hashing", console=console, transient=True, disable=not digests),
    )
    if found.set_back and not as_json:
        rows = ", ".join(map(str, found.set_back[:SHOWN]))
        warn(f"the clock went back before row {rows} of the audit log: the order of rows is that of their numbers")
    if as_json:
        print_json(found)
    elif found.ok:
        hashed = f", {found.objects} objects hashed" if objects else ""
        click.echo(f"the audit log is whole: {found.rows} rows, each chained to the one before; every row is as it was")
        click.echo(f"recorded{hashed}; the newest row's digest, to write down elsewhere: {found.head or 'none yet'}")
    else:
        for problem in found.problems[:SHOWN]:
            click.echo(problem, err=True)
        if len(found.problems) > SHOWN:
            click.echo(f"and {len(found.problems) - SHOWN} more (--json lists them all)", err=True)
    if not found.ok:
        raise SystemExit(1)
