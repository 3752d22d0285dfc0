"""mlm cite"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json


@click.command()
@click.argument("response")
@click.option("--top", default=5, show_default=True, type=click.IntRange(min=1), help="Rows shown.")
@json_option
def cite(response: str, top: int, as_json: bool) -> None:
    """Show the training rows that are most similar to RESPONSE, the id of a recorded response.

    Similar, never caused: nothing tells which rows made a model answer as it did.
    """
    from mlm.citing import cite as cite_rows

    citations = cite_rows(open_workspace().registry, response, top)
    if as_json:
        print_json(citations)
        return
    click.echo("training rows similar to the response (similar, not proved to be its cause):")
    for citation in citations:
        place = citation.file or citation.source
        click.echo(f"{citation.similarity:5.0%}  {citation.ref}/{citation.split}  {place}")
        click.echo("       " + citation.text.replace("\n", " | ")[:160])
    if not citations:
        click.echo("  none: the datasets that its version learned from hold no word of it")
