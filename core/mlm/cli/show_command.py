"""mlm show"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlm.cli.opening import compact, json_option, measured, open_workspace, print_json, shown_unit, table, when
from mlm.cli.showing import one_line

if TYPE_CHECKING:
    from mlm.examples import Kept
    from mlm_registry import Node


@click.command()
@click.argument("ref")
@click.option(
    "--examples", "count", default=0, metavar="N", type=click.IntRange(min=0), help="Show the N worst of a report."
)
@json_option
def show(ref: str, count: int, as_json: bool) -> None:
    """Show one node: REF is `chat`, `chat@2`, a digest, or the first 8 or more characters of one."""
    from mlm.cards.origins import settings_of
    from mlm.examples import kept_examples
    from mlm.inspecting import describe
    from mlm.standing import up_to_date

    workspace = open_workspace()
    registry = workspace.registry
    view = describe(registry, ref)
    standing = up_to_date(workspace, ref) if ref == view["node"].name else None
    view["up_to_date"] = standing.ref if standing else None
    is_report = view["node"].kind == "report" and view["presence"] == "here"
    kept = kept_examples(registry, view["node"], count) if count or is_report else None
    if as_json:
        print_json({**view, "examples": kept.shown if kept else ()})
        return
    node, execution = view["node"], view["execution"]
    click.echo(f"{node.ref}  {node.kind}  {node.size_bytes:,} bytes  {when(node.created)}")
    if standing and standing.id != node.id:
        click.echo(f"note    {standing.ref} is up to date, not this one: mlm.toml or the code changed back since")
    click.echo(f"digest  {node.digest}")
    click.echo(f"files   {view['path'] or view['presence']}")
    if execution:
        click.echo(
            f"made by {execution.plugin} {execution.distribution_version} in run {execution.run}, "
            f"{execution.seconds:.1f} s, {execution.cost_usd:.6f} USD, seed {execution.seed}"
        )
        made_of = [f"{i['ref']} ({i['role']})" for i in view["inputs"]]
        made_of = made_of or [f"{name} = {value}" for name, value in settings_of(workspace, execution).items()]
        click.echo("from    " + one_line(", ".join(made_of) or "nothing"))
    if node.kind == "model" and (facts := _facts(node)):
        click.echo(f"facts   {facts}")
    if view["logged"]:
        lasts = [f"{last['name']} {last['value']:.4g} at {last['step']:,}" for last in view["logged"]]
        click.echo(f"logged  {', '.join(lasts)}")
    for row in view["chain"]:
        told = [f"{gone} {reason}" for reason, gone in row["removed"].items()]
        told += [f"{row['changed']} changed"] if row["changed"] else []
        click.echo(f"  {row['step']:<16}{row['rows_in']:>7} -> {row['rows_out']:<7}{', '.join(told)}")
    for split, rows in view["rows"].items():
        click.echo(f"  {split:<16}{rows:>7} rows")
    if view["scores"]:
        _scores(view["scores"])
    if kept and kept.total:
        _examples(kept, node.ref)
    elif count and is_report:
        click.echo(f"{node.ref} keeps no examples: its evaluator judges no single rows")


def _facts(model: Node) -> str:
    """Return the numbers that a trainer kept with its model, by name."""
    numbers = {name: value for name, value in model.metadata.items() if type(value) in (int, float)}
    return ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in numbers.items())


def _scores(scores: list[dict[str, Any]]) -> None:
    """Print scores; their coverage where items had no say in one."""
    columns = ["evaluation", "metric", "unit", "n", "value"]
    rows = [
        [
            s["step"],
            s["metric"],
            shown_unit(s["unit"]),
            str(s["n"]),
            compact(s["value"], s["low"], s["high"], s["unit"]),
        ]
        for s in scores
    ]
    shares = [s["coverage"] for s in scores]
    if any(share is not None and share < 1 for share in shares):
        columns.append("coverage")
        rows = [
            [*row, measured(share, unit="share") if share is not None else ""]
            for row, share in zip(rows, shares, strict=True)
        ]
    table(columns, rows)


def _examples(kept: Kept, ref: str) -> None:
    """Print judged items, and how to see more of them, or how to follow one to its row."""
    if not kept.shown:
        click.echo(f"{kept.total} examples: mlm show {ref} --examples 5 shows the worst")
        return
    for one in kept.shown:
        click.echo(f"{one.row_id}  score {'-' if one.score is None else f'{one.score:g}'}  {one.label}".rstrip())
        for name in ("prompt", "answer", "expected"):
            if text := getattr(one, name):
                click.echo(f"  {name:<10}{one_line(text)}")
    which = "the worst" if kept.directed else "by the lowest score, for no direction says which are worse,"
    told = f"{which} {len(kept.shown)} of {kept.total} examples"
    click.echo(f"{told}; mlm data why ROW follows one to its source")
