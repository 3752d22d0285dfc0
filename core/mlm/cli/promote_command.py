"""mlm promote"""

from __future__ import annotations

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json


@click.command()
@click.argument("ref")
@click.option("--to", "alias", default="production", show_default=True, help="The alias to move.")
@click.option("--reason", default="", help="Why; kept in the history.")
@click.option("--dry-run", is_flag=True, help="Only say how the verdicts stand.")
@by_option
@json_option
def promote(ref: str, alias: str, reason: str, dry_run: bool, by: str | None, as_json: bool) -> None:
    """Approve model version REF and point an alias at it.

    Every gate is judged on the very digest, and every check is asked; anything but a pass refuses (exit code 1).
    """
    from mlm.gates import judge
    from mlm.gates import promote as promote_version

    workspace = open_workspace()
    version = workspace.registry.models.version(ref)
    if dry_run:
        verdicts = judge(workspace, version, store=False)
    else:
        verdicts = promote_version(workspace, ref, alias, by=actor(by), reason=reason)
    if as_json:
        print_json({"version": version.node.ref, "alias": alias, "promoted": not dry_run, "verdicts": verdicts})
        return
    for verdict in verdicts:
        click.echo(f"  {verdict.outcome:<13}{verdict.reason}")
    refused = [verdict for verdict in verdicts if not verdict.passed]
    if dry_run:
        click.echo(f"{version.node.ref} would be {'refused' if refused else 'approved'}")
    else:
        click.echo(f"{version.node.ref} is approved, and {alias} points at it")
    if refused:
        raise SystemExit(1)
