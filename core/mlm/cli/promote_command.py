"""mlm promote"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json

if TYPE_CHECKING:
    from mlm.verdicts import Verdict


@click.command()
@click.argument("ref")
@click.option("--to", "alias", default="production", show_default=True, help="The alias to move.")
@click.option("--reason", default="", help="Why; kept in the history.")
@click.option("--dry-run", is_flag=True, help="Only say how the verdicts stand.")
@by_option
@json_option
def promote(ref: str, alias: str, reason: str, dry_run: bool, by: str | None, as_json: bool) -> None:
    """Approve model version REF and point an alias at it.

    Every gate is judged on the very digest, and every check is asked; anything but a pass refuses (exit code 1). With
    --dry-run the exit code is 0 whatever the verdicts say.
    """
    from mlm.errors import Refused
    from mlm.gates import judge
    from mlm.gates import promote as promote_version

    workspace = open_workspace()
    version = workspace.registry.models.version(ref)
    if dry_run:
        verdicts = judge(workspace, version, store=False)
    else:
        try:
            verdicts = promote_version(workspace, ref, alias, by=actor(by), reason=reason)
        except Refused as refusal:
            if as_json:
                _print(version.node.ref, alias, False, refusal.verdicts)
            raise
    if as_json:
        _print(version.node.ref, alias, not dry_run, verdicts)
        return
    for verdict in verdicts:
        click.echo(f"  {verdict.outcome:<13}{verdict.reason}")
    if dry_run:
        passed = all(verdict.passed for verdict in verdicts)
        click.echo(f"{version.node.ref} would be {'approved' if passed else 'refused'}")
    else:
        click.echo(f"{version.node.ref} is approved, and {alias} points at it")


def _print(ref: str, alias: str, promoted: bool, verdicts: Sequence[Verdict]) -> None:
    print_json({"version": ref, "alias": alias, "promoted": promoted, "verdicts": verdicts})
