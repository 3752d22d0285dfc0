"""mlm pull"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json


@click.command()
@click.option("--all", "everything", is_flag=True, help="Fetch every object now, not when it is first needed.")
@json_option
def pull(everything: bool, as_json: bool) -> None:
    """Take over what was pushed to the remote; objects come when they are first needed.

    A registry that has recorded something since its last push or pull is refused, and left as it is.
    """
    from mlm.cli.watching import watch
    from mlm.syncing import pull as take

    with watch("pulling", quiet=as_json) as progress:
        done = take(open_workspace().registry, everything=everything, progress=progress)
    if as_json:
        print_json(done)
        return
    click.echo(f"{'pulled from' if done.changed else 'as new as'} {done.remote}")
    if everything:
        click.echo(f"{done.objects} objects were fetched")
    elif done.changed:
        click.echo("objects come when they are first needed; `mlm pull --all` fetches them now")
