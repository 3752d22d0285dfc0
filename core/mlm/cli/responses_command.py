"""mlm responses"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table, when

if TYPE_CHECKING:
    from mlm.responses import Response

_WIDTH = 48


@click.command()
@click.option("--from", "deployment", default=None, help="Only of this deployment.")
@click.option("--version", default=None, help="Only of this model version: `chat@2`.")
@click.option("--user", default=None, help="Only what this person asked (the request's `user`).")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="Newest responses shown.")
@click.option("--ids", is_flag=True, help="Print ids alone, one a line.")
@json_option
def responses(
    deployment: str | None, version: str | None, user: str | None, limit: int, ids: bool, as_json: bool
) -> None:
    """List what was asked and answered, the newest first; `mlm trace` and `mlm cite` take the ids."""
    from mlm.inspecting import resolve
    from mlm.responses import responses as listed

    registry = open_workspace().registry
    node = resolve(registry, version).id if version else None
    found = listed(registry, deployment=deployment, version=node, user=user, limit=limit)
    if as_json:
        print_json(found)
    elif ids:
        for one in found:
            click.echo(one.id)
    else:
        table(["id", "at", "version", "prompt", "response", ""], [_row(one) for one in found])


def _row(one: Response) -> list[str]:
    return [one.id, when(one.at), one.version, _told(one.prompt), _told(one.response), _mark(one)]


def _told(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _mark(one: Response) -> str:
    marks = ["failed" if one.error else "", "guarded" if one.guarded else ""]
    marks.append("liked" if one.rating > 0 else "disliked" if one.rating < 0 else "")
    return ", ".join(mark for mark in marks if mark)
