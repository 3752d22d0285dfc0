"""mlm erase"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json, table, when
from mlm.cli.showing import counted

if TYPE_CHECKING:
    from mlm.certificates import Erased
    from mlm_registry import Erasure


@click.command()
@click.option("--subject", default="", metavar="ID", help="A person, as the columns subject, user or user_id say.")
@click.option(
    "--row",
    "rows",
    multiple=True,
    metavar="ROW",
    help="A single row: its id, the beginning of it, or where it was read from (facts.jsonl:12); may be given again.",
)
@click.option("--reason", help="Why; kept in the audit log, so name nobody.")
@click.option("--yes", is_flag=True, help="Erase; without it nothing is, and the command says what would be.")
@click.option("--reapply", is_flag=True, help="Erase again what a restored backup brought back.")
@click.option("--list", "listing", is_flag=True, help="List the erasures, with their certificates.")
@click.option("--certificate", "digest", metavar="DIGEST", help="Show a certificate again; its beginning will do.")
@by_option
@json_option
def erase(
    subject: str,
    rows: tuple[str, ...],
    reason: str | None,
    yes: bool,
    reapply: bool,
    listing: bool,
    digest: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Erase a person's rows and exchanges from the registry, for good, and certify what was and what could not be.

    Datasets get a new version without the rows; the bytes of the old one are deleted, and a tombstone keeps its place
    in the lineage. Models that learned from the rows are named: weights are not unlearned.
    """
    from mlm.certificates import kept_certificate
    from mlm.erasing import erase as erase_rows
    from mlm.erasing import reapply as apply_again

    if bool(subject or rows) + reapply + listing + (digest is not None) != 1:
        raise click.UsageError("expected one of: --subject or --row, --reapply, --list, --certificate DIGEST")
    if yes and not reason:
        raise click.UsageError("--reason says why; it is kept in the audit log")
    workspace = open_workspace()
    if listing:
        found = workspace.registry.erasures.all()
        print_json(found) if as_json else _list(found)
        return
    if digest is not None:
        done = [kept_certificate(workspace.registry, digest)]
    elif reapply:
        done = apply_again(workspace, by=actor(by))
    else:
        done = [erase_rows(workspace, subject=subject, rows=rows, by=actor(by), reason=reason or "", yes=yes)]
    if as_json:
        print_json(done)
        return
    for erased in done:
        _show(erased)
    if not done:
        click.echo("every erasure of the ledger is applied")


def _list(erasures: list[Erasure]) -> None:
    rows = [
        [
            when(e.at),
            e.by,
            e.reason,
            str(e.counts.get("rows", 0)),
            str(e.counts.get("exchanges", 0)),
            e.certificate[:12],
        ]
        for e in erasures
    ]
    table(["at", "by", "reason", "rows", "exchanges", "certificate"], rows)


def _show(erased: Erased) -> None:
    certificate = erased.certificate
    word = "erased" if erased.done else "would be erased"
    click.echo(f"{counted(certificate.rows, 'row')} and {counted(certificate.exchanges, 'exchange')} {word}")
    for old, new in certificate.datasets:
        becomes = (f" -> {new}" if new else ": no row was left") if erased.done else ""
        click.echo(f"  dataset  {old}{becomes}")
    for report in certificate.reports:
        click.echo(f"  report   {report} may show the rows")
    for model in certificate.models:
        click.echo(f"  model    {model.ref} ({model.state}) learned from them: {model.action}")
    for file, lines in certificate.files:
        one = len(lines) == 1
        told = f"line {lines[0]} holds" if one else f"lines {', '.join(map(str, lines))} hold"
        click.echo(f"  file     {file}: {told} them, and mlm leaves it to you to delete {'it' if one else 'these'}")
    click.echo(f"  models that learned from none of them: {certificate.unaffected}")
    click.echo("what stays:")
    for line in certificate.remains:
        click.echo(f"  - {line}")
    if erased.done:
        click.echo(f"by {certificate.by}, {when(certificate.at)}: {certificate.reason}")
        click.echo(f"certificate {erased.digest}")
    else:
        click.echo("mlm erase ... --yes erases them")
