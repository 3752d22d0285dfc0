"""mlm recall"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.impact_command import show_impact
from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json, table, when

if TYPE_CHECKING:
    from mlm.recalling import Move, Recalled
    from mlm_registry import Recall


@click.command()
@click.argument("subject", required=False)
@click.option("--reason", help="Why; kept in the audit log.")
@click.option("--undo", "undone", type=int, metavar="ID", help="Undo a recall, by its number.")
@click.option("--list", "listing", is_flag=True, help="List the recalls in force.")
@click.option("--dry-run", is_flag=True, help="Only say what would be touched and moved.")
@by_option
@json_option
def recall(
    subject: str | None,
    reason: str | None,
    undone: int | None,
    listing: bool,
    dry_run: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Recall SUBJECT, and with it all that came from it: no gate of it holds, and traffic drains to clean versions.

    SUBJECT is what `mlm impact` takes. Of a row or a source, the datasets that hold it are recalled as a whole. No
    check is asked.
    """
    from mlm.recalling import recall as recall_subject
    from mlm.recalling import undo

    if (subject is not None) + (undone is not None) + listing != 1:
        raise click.UsageError("expected one of: SUBJECT, --undo ID, --list")
    workspace = open_workspace()
    if listing:
        found = workspace.registry.recalls.standing()
        print_json(found) if as_json else _list(found)
        return
    if not reason and not dry_run:
        raise click.UsageError("--reason says why; it is kept in the audit log")
    if undone is not None:
        done = undo(workspace, undone, by=actor(by), reason=reason or "")
    else:
        done = recall_subject(workspace, subject or "", by=actor(by), reason=reason or "", dry_run=dry_run)
    print_json(done) if as_json else _show(done, undone is not None)


def _show(done: Recalled, undone: bool) -> None:
    if not done.id:
        show_impact(done.impact)
    elif not undone:
        click.echo(f"{done.impact.subject}: {', '.join(done.impact.nodes)}")
    for move in done.moves:
        click.echo(f"{move.kind:<11}{_moved(move, 'moves' if done.id else 'would move')}")
    for kept in done.kept:
        click.echo(f"{kept} stays: it was moved since, or may not come back")
    if undone:
        click.echo(f"recall {done.id} is undone")
    elif done.id:
        models, datasets = len(done.impact.models), len(done.impact.datasets)
        click.echo(f"models {models}, datasets {datasets}: all that rests on it (mlm impact {done.impact.subject})")
        click.echo(f"recall {done.id} is in force (mlm recall --undo {done.id} --reason ...)")


def _moved(move: Move, moves: str) -> str:
    before, after = ", ".join(move.before) or "nothing", ", ".join(move.after)
    if after:
        return f"{move.name} {moves} from {before} to {after}"
    if move.kind == "alias":
        return f"{move.name} stays at {before}, which is refused: no clean version ever had it"
    return f"{move.name} {moves} from {before} to nothing: no clean version served alone"


def _list(recalls: list[Recall]) -> None:
    rows = [[str(r.id), r.subject, when(r.at), r.by, r.reason] for r in recalls]
    table(["recall", "subject", "since", "by", "reason"], rows)


def tell_of_recalls(refs: list[str]) -> None:
    """Say of what a project uses that it is recalled."""
    for ref in refs:
        click.echo(f"{ref} is recalled: what is made from it may be made, and is refused (mlm recall --list)")
