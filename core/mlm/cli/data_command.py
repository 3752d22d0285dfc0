"""mlm data"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlm.cli.opening import json_option, open_workspace, print_json, warn_of_newest
from mlm.cli.showing import laid_out, one_line, print_parting, print_row

if TYPE_CHECKING:
    from mlm.rows.comparing import Comparison
    from mlm.rows.holding import Held
    from mlm.rows.way import Way
    from mlm_registry import Registry


_full_option = click.option("--full", is_flag=True, help="Whole texts, not 160 characters of them.")


@click.group()
def data() -> None:
    """Follow rows: what a dataset holds, how two versions differ, where a row went and why."""


@data.command()
@click.argument("ref")
@click.option("--rows", default=3, show_default=True, type=click.IntRange(min=0), help="First rows shown.")
@json_option
def show(ref: str, rows: int, as_json: bool) -> None:
    """Show what dataset REF holds (`facts`, `facts@2`, `facts/train`) and what its chain did."""
    from mlm.rows.holding import held

    workspace = open_workspace()
    warn_of_newest(workspace, ref)
    found = held(workspace.registry, ref, rows)
    print_json(found) if as_json else _show(found)


@data.command()
@click.argument("old")
@click.argument("new")
@click.option("--rows", default=3, show_default=True, type=click.IntRange(min=0), help="Examples shown of each.")
@_full_option
@json_option
def diff(old: str, new: str, rows: int, full: bool, as_json: bool) -> None:
    """Compare two datasets, such as `facts@1 facts@2`: rows added, removed and changed, with the reasons.

    Of a changed row, the columns that are not the same are shown; of long texts, where they part.
    """
    from mlm.rows.comparing import compare

    found = compare(open_workspace().registry, old, new, rows)
    print_json(found) if as_json else _differ(found, full)


@data.command()
@click.argument("row")
@click.option("--in", "ref", default=None, metavar="REF", help="Only in this dataset.")
@click.option("--every-version", is_flag=True, help="In older versions too.")
@json_option
def why(row: str, ref: str | None, every_version: bool, as_json: bool) -> None:
    """Follow ROW from its source through every transform to what learned from it.

    ROW is an id, the beginning of one, or where the row was read from, such as facts.jsonl:12. A row that was dropped
    is found too, with the transform and the reason.
    """
    from mlm.rows.way import ways

    found = ways(open_workspace().registry, row, ref, every_version=every_version)
    if as_json:
        print_json(found)
        return
    for way in found:
        _follow(way)


@data.command()
@click.argument("ref")
@click.option("--removed", "which", flag_value="removed", help="Of the rows that were removed.")
@click.option("--changed", "which", flag_value="changed", help="Of the rows that were changed.")
@click.option("--kept", "which", flag_value="kept", default="kept", help="Of the rows that it holds (default).")
@click.option("--reason", default=None, help="Only rows removed or changed for this reason, as `mlm data show` says.")
@click.option("--step", default=None, help="Only rows removed or changed by this transform.")
@click.option("-n", "--count", default=5, show_default=True, type=click.IntRange(min=1), help="Number of rows.")
@click.option("--seed", default=0, show_default=True, help="The same seed draws the same rows.")
@click.option("--unfinished", is_flag=True, help="Of the last try of step REF, which failed or was interrupted.")
@_full_option
@json_option
def sample(
    ref: str, which: Any, reason: str | None, step: str | None, count: int, seed: int, unfinished: bool, full: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Draw rows of dataset REF at random; with `--removed` and `--changed`, why each was.

    Of a removed row, at most 2,000 characters were kept. A changed row is shown beside what the version before held
    of it, where that is not the same; one that a later transform dropped, as far as it was kept.
    """
    from mlm.rows.samples import sample as draw

    if which == "kept" and (reason or step):
        raise click.UsageError("--reason and --step go with --removed or --changed")
    workspace = open_workspace()
    if not unfinished:
        warn_of_newest(workspace, ref)
    registry = workspace.registry
    rows = draw(registry, ref, which, reason=reason, step=step, count=count, seed=seed, unfinished=unfinished)
    if not rows and (reason or step):
        raise _none_such(registry, ref, which, reason, step, unfinished)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print_row(row, full)
    if not rows:
        click.echo("no such row")


@data.command()
@click.argument("ref")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File; default: named so: facts@2.html."
)
@click.option("--examples", default=3, show_default=True, type=click.IntRange(min=0), help="Rows for each reason.")
def report(ref: str, output: Path | None, examples: int) -> None:
    """Write one HTML page of dataset REF: counts a transform, lengths before and after, examples for each reason."""
    from mlm.pages.dataset import dataset_page
    from mlm.rows import dataset_of
    from mlm.writing import write_text

    workspace = open_workspace()
    warn_of_newest(workspace, ref)
    registry = workspace.registry
    output = output or Path(f"{dataset_of(registry, ref)[0].ref}.html")
    write_text(output, dataset_page(registry, ref, examples))
    click.echo(f"wrote {output}")


def _none_such(registry: Registry, ref: str, which: Any, reason: Any, step: Any, unfinished: bool) -> Exception:
    """Return the error of a reason or a transform for which no row is there; it lists those that are."""
    from mlm.errors import MlmError, near_miss
    from mlm.rows.samples import reasons

    known = reasons(registry, ref, which, unfinished=unfinished)
    asked = "".join([f" by '{step}'" if step else "", f" for '{reason}'" if reason else ""])
    told = ", ".join(f"{by}: {why} {count:,}" for (by, why), count in known.items()) or "none"
    hint = near_miss(reason, {why for _, why in known}) if reason else near_miss(step, {by for by, _ in known})
    return MlmError(f"no row of {ref} was {which}{asked} (by transform and reason: {told}){hint}")


def _show(found: Held) -> None:
    from mlm.cli.opening import table

    click.echo(f"{found.ref}  {found.path}")
    click.echo("rows    " + ", ".join(f"{split} {count:,}" for split, count in found.rows.items()))
    for one in found.inputs:
        click.echo(f"{one.role:<7} {one}")
    table(
        ["column", "type", "nulls"],
        [[c.name, c.type, "" if c.nulls is None else f"{c.nulls:,}"] for c in found.columns],
    )
    rows = [
        [
            link["step"],
            f"{link['rows_in']:,}",
            f"{link['rows_out']:,}",
            f"{link['changed']:,}",
            _counts(link["removed"]),
        ]
        for link in found.chain
    ]
    table(["transform", "rows in", "rows out", "changed", "removed, by reason"], rows)
    for row in found.first:
        print_row(row)


def _differ(found: Comparison, full: bool) -> None:
    from mlm.rows.comparing import NOT_READ
    from mlm.rows.wording import because

    click.echo(f"{found.old} ({found.rows[0]:,} rows) -> {found.new} ({found.rows[1]:,} rows)")
    click.echo(f"{found.added:,} added, {found.removed:,} removed, {found.changed:,} changed, {found.same:,} the same")
    for sign, names in (("+", found.columns_added), ("-", found.columns_removed)):
        for name in names:
            click.echo(f"{sign} column {name}")
    for reason, count in found.removed_because.items():
        told = reason if reason == NOT_READ else f"removed by {because(*reason.split(': ', 1))}"
        click.echo(f"  {count:,} {told}")
    for kind, examples in found.examples.items():
        for one in examples:
            click.echo(f"{kind}  {one.row_id}  {one.source}  {one.reason}".rstrip())
            for name, (before, after) in one.columns.items():
                print_parting(name, before, after, full)
            for sign, text in (("-", one.before), ("+", one.after)):
                if text and not one.columns:
                    click.echo(f"  {sign} {laid_out(text, full)}")


def _follow(way: Way) -> None:
    from mlm.rows.wording import because

    click.echo(f"{way.row_id}  in {way.dataset}{f'/{way.split}' if way.split else ', removed'}")
    click.echo(f"  {'read from':<16}{way.file or way.source}")
    for stop in way.stops:
        click.echo(f"  {stop.step:<16}{stop.happened:<9}{because(stop.reason, stop.detail)}".rstrip())
    if way.text:
        click.echo(f"  {'text':<16}{one_line(way.text)}")
    if way.used_by:
        click.echo(f"  {'used by':<16}{', '.join(way.used_by)}")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())
