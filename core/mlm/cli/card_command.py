"""mlm card"""

from __future__ import annotations

from pathlib import Path

import click

from mlm.cli.opening import json_option, open_workspace, print_json, warn_of_newest


@click.command()
@click.argument("ref")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print.")
@json_option
def card(ref: str, output: Path | None, as_json: bool) -> None:
    """Write the card of model or dataset REF from the registry: Markdown with the Hub's YAML head."""
    from mlm.cards import card_of
    from mlm.writing import write_text

    workspace = open_workspace()
    warn_of_newest(workspace, ref)
    made = card_of(workspace, ref)
    if output:
        write_text(output, made.markdown)
        click.echo(f"wrote the card of {made.ref} to {output}")
    elif as_json:
        print_json(made)
    else:
        click.echo(made.markdown)
