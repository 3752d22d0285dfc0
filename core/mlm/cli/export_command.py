"""mlm export"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mlm.cli.opening import open_workspace, warn_of_newest


@click.command()
@click.option("--openlineage", is_flag=True, help="The whole lineage as OpenLineage events, one JSON object a line.")
@click.option("--croissant", metavar="REF", help="Dataset REF as Croissant metadata, to lie in the dataset's folder.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; default: print.")
def export(openlineage: bool, croissant: str | None, output: Path | None) -> None:
    """Write for other systems: the lineage of everything, or the metadata of one dataset."""
    if openlineage == bool(croissant):
        raise click.UsageError("expected --openlineage or --croissant REF")
    text, told = _events() if openlineage else _metadata(croissant or "")
    if output is None:
        click.echo(text)
        return
    output.write_text(f"{text}\n" if text else "", encoding="utf-8")
    click.echo(f"wrote {told} to {output}")


def _events() -> tuple[str, str]:
    """Return every execution with its inputs and outputs, oldest first."""
    from mlm.openlineage import events

    workspace = open_workspace()
    lines = [json.dumps(event) for event in events(workspace.registry, workspace.project.problem.name)]
    return "\n".join(lines), f"{len(lines)} events"


def _metadata(ref: str) -> tuple[str, str]:
    from mlm.croissant import croissant

    workspace = open_workspace()
    warn_of_newest(workspace, ref)
    found = croissant(workspace, ref)
    return json.dumps(found, indent=2, ensure_ascii=False), f"metadata of {found['url']}"
