"""mlm cite"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlm.cli.opening import json_option, open_workspace, print_json
from mlm.cli.showing import one_line

if TYPE_CHECKING:
    from mlm.citing import Citation


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
    else:
        show_rows(citations)


def show_rows(citations: Sequence[Citation]) -> None:
    """Print the rows that are similar to a response."""
    click.echo("training rows similar to the response (similar, not proved to be its cause):")
    for citation in citations:
        click.echo(f"{citation.similarity:5.0%}  {citation.ref}/{citation.split}  {citation.file or citation.source}")
        click.echo("       " + one_line(citation.text))
    if not citations:
        click.echo("  none: the datasets that its version learned from hold no word of it")
