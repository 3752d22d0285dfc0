"""mlm pull"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json


@click.command()
@click.option("--all", "everything", is_flag=True, help="Fetch every object now, not when it is first needed.")
@click.option("--replace", is_flag=True, help="Give up what was recorded here alone; a copy of the rows is kept.")
@json_option
def pull(everything: bool, replace: bool, as_json: bool) -> None:
    """Take over what was pushed to the remote; objects come when they are first needed.

    A registry that has recorded what the remote lacks, while the remote has something newer, is refused and left as it
    is: histories are not merged.
    """
    from mlm.cli.watching import watch
    from mlm.syncing import pull as take

    with watch("pulling", quiet=as_json) as progress:
        done = take(open_workspace().registry, everything=everything, replace=replace, progress=progress)
    if as_json:
        print_json(done)
        return
    click.echo(f"pulled from {done.remote}" if done.changed else f"{done.remote} has nothing newer")
    if done.kept:
        click.echo(f"what was recorded here alone is kept in {done.kept}")
    if everything:
        click.echo(f"{done.objects} objects were fetched")
    elif done.changed:
        click.echo("objects come when they are first needed; `mlm pull --all` fetches them now")
