"""mlm push"""

from __future__ import annotations

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json


@click.command()
@by_option
@json_option
def push(by: str | None, as_json: bool) -> None:
    """Copy the registry and its objects to the remote: `remote` of [registry] in mlm.toml.

    What is there already is not sent again. Copies of what was erased are deleted there. Who has not pulled what others
    pushed is refused: histories are not merged.
    """
    from mlm.cli.watching import watch
    from mlm.syncing import push as send

    with watch("pushing", quiet=as_json) as progress:
        done = send(open_workspace().registry, by=actor(by), progress=progress)
    if as_json:
        print_json(done)
        return
    click.echo(f"pushed to {done.remote}: {done.files} files of {done.bytes / 1e6:.1f} MB that it did not have")
    if done.deleted:
        click.echo(f"{done.deleted} files of erased objects were deleted there")
