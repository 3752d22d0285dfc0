"""mlm export"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mlm.cli.opening import open_workspace


@click.command()
@click.option("--openlineage", is_flag=True, required=True, help="As OpenLineage events, one JSON object a line.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; default: print.")
def export(openlineage: bool, output: Path | None) -> None:
    """Write the lineage for other systems: every execution with its inputs and outputs, oldest first."""
    from mlm.openlineage import events

    workspace = open_workspace()
    lines = [json.dumps(event) for event in events(workspace.registry, workspace.project.problem.name)]
    if output is None:
        click.echo("\n".join(lines))
        return
    output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    click.echo(f"wrote {len(lines)} events to {output}")
