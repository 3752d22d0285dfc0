"""mlm retire"""

from __future__ import annotations

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json


@click.command()
@click.argument("ref")
@click.option("--reason", required=True, help="Why; kept in the audit log.")
@by_option
@json_option
def retire(ref: str, reason: str, by: str | None, as_json: bool) -> None:
    """Retire model version REF: no server loads it again, and its lineage stays. One that serves is refused."""
    from mlm.retiring import retire as retire_version
    from mlm.verdicts import Verdict

    workspace = open_workspace()
    name = actor(by)
    workspace.allowed("retire", name)
    version = workspace.registry.models.version(ref)
    action = retire_version(workspace, version, by=name, verdict=Verdict("fail", "by-hand", reason), trigger=name)
    if as_json:
        print_json(action)
    else:
        click.echo(action.text)
