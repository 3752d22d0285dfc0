"""mlm history"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table, when


@click.command()
@click.argument("alias")
@json_option
def history(alias: str, as_json: bool) -> None:
    """List every move of ALIAS, newest first: which version, when, by whom and why."""
    from mlm.serving_history import alias_history

    moves = alias_history(open_workspace().registry, alias)
    if as_json:
        print_json(moves)
    else:
        table(["at", "version", "by", "reason"], [[when(m.at), m.version, m.by, m.reason] for m in moves])
