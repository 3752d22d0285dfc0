"""mlm gc"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json
from mlm.cli.showing import counted


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
    found = [counted(done.files, "file")]
    if done.unfinished:
        found.append(f"the work of {counted(done.unfinished, 'step')} that did not end and has begun anew since")
    size = f"{done.bytes / 1e6:.1f} MB"
    click.echo(f"{' and '.join(found)}, together {size}, {'were' if yes else 'would be'} deleted")
    click.echo(f"{counted(done.needed, 'object')} that nodes name: all stay")
    if not yes and done.files + done.unfinished:
        click.echo("mlm gc --yes deletes them")
