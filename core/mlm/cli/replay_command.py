"""mlm replay"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.opening import json_option, open_workspace, print_json

if TYPE_CHECKING:
    from mlm.reproducing import Replay


@click.command()
@click.argument("ref")
@click.option("--from-sources", is_flag=True, help="Replay everything that it came from as well, oldest first.")
@click.option("--epsilon", default=1e-6, show_default=True, help="Difference of a measure that counts as none.")
@json_option
def replay(ref: str, from_sources: bool, epsilon: float, as_json: bool) -> None:
    """Run the execution that made REF again from its lineage, in a clean folder, and compare the results.

    The outcome is bitwise, token-identical, within epsilon, or not reproducible (exit code 1) with the first node that
    diverges. Nothing is recorded.
    """
    from mlm.reproducing import verify

    heard = (lambda replay: None) if as_json else _show
    done = verify(open_workspace(), ref, from_sources=from_sources, epsilon=epsilon, heard=heard)
    if as_json:
        print_json(done)
    elif done.first_diverging:
        click.echo(f"the first that diverges is {done.first_diverging}")
    if done.first_diverging:
        raise SystemExit(1)


def _show(replay: Replay) -> None:
    click.echo(f"{replay.outcome:<18}{replay.ref}: {replay.reason}")
