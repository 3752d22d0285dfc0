"""mlm gc"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json


@click.command()
@click.option("--yes", is_flag=True, help="Delete; without it nothing is, and the command says what would be.")
@json_option
def gc(yes: bool, as_json: bool) -> None:
    """Delete what no node needs: bytes of steps that were killed, and work that nobody can go on with.

    What any node names stays, whether it is old, retired or recalled.
    """
    from mlm.collecting import collect

    done = collect(open_workspace().registry, delete=yes)
    if as_json:
        print_json(done)
        return
    click.echo(f"{done.files} files of {done.bytes / 1e6:.1f} MB {'were' if yes else 'would be'} deleted")
    click.echo(f"{done.needed} objects stay: nodes name them")
    if done.unfinished:
        click.echo(f"{done.unfinished} steps were interrupted and have changed since: their work goes too")
    if not yes and done.files + done.unfinished:
        click.echo("mlm gc --yes deletes them")
