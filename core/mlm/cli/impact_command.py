"""mlm impact"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table

if TYPE_CHECKING:
    from mlm.impact import Impact


@click.command()
@click.argument("subject")
@json_option
def impact(subject: str, as_json: bool) -> None:
    """Show everything that rests on SUBJECT, down to live traffic.

    SUBJECT is a node, an alias or a response's id; `row:ID`; `source:FILE` or `source:FILE:LINE`; `plugin:NAME` or
    `plugin:NAME==VERSION`.
    """
    from mlm.impact import impact as follow

    found = follow(open_workspace().registry, subject)
    print_json(found) if as_json else show_impact(found)


def show_impact(found: Impact) -> None:
    """Print what rests on a subject."""
    click.echo(f"{found.subject}: {', '.join(found.nodes)}")
    click.echo(f"datasets   {', '.join(found.datasets) or 'none'}")
    click.echo(f"responses  {found.responses} were given by versions that rest on it")
    if found.models:
        rows = [[m.ref, m.stage, m.state, ", ".join(m.aliases), str(m.responses)] for m in found.models]
        table(["model", "stage", "state", "aliases", "responses"], rows)
    if found.scores:
        rows = [[s.metric, f"{s.value:.4g}", s.model, s.report] for s in found.scores]
        table(["score that rests on it", "value", "model", "report"], rows)
    for traffic in found.deployments:
        click.echo(f"live       {traffic.deployment} serves {traffic.version} to {traffic.share:.0%} of its traffic")
    if not found.deployments:
        click.echo("live       no deployment serves anything that rests on it")
