"""mlm plugins"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlm.cli.opening import catalogue_here, json_option, print_json, table, warn
from mlm.cli.plugin_listing import described, named, of_kind, row_of, warned

if TYPE_CHECKING:
    from mlm.probing import Examined


def kind_option(function: Any) -> Any:
    """Add `--kind`."""
    return click.option("--kind", default=None, help="Only this kind, such as trainers.")(function)


@click.group(invoke_without_command=True)
@kind_option
@json_option
@click.pass_context
def plugins(context: click.Context, kind: str | None, as_json: bool) -> None:
    """List the installed plugins, and whether each can be used; none is imported."""
    if context.invoked_subcommand is None:
        _list(kind, as_json)


@plugins.command("list")
@kind_option
@json_option
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List the installed plugins, and whether each can be used; none is imported."""
    _list(kind, as_json)


@plugins.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what a plugin does, its hooks and its settings: NAME is `dpo`, `trainers/dpo` or `acme:trainers/dpo`."""
    catalogue = catalogue_here()
    shown = [described(catalogue, ref) for ref in named(catalogue, name)]
    if as_json:
        print_json(shown)
        return
    for view in shown:
        click.echo(f"{view['identity']} {view['version']}  {view['state']} {view['reason']}".rstrip())
        click.echo(view["help"])
        click.echo(f"hooks: {', '.join(view['hooks']) or 'none'}")
        if view["metrics"]:
            click.echo(f"measures: {', '.join(view['metrics'])}")
        rows = [[s["name"], s["type"], s["default"], s["unit"], s["help"]] for s in view["settings"]]
        if rows:
            table(["setting", "type", "default", "unit", "help"], rows)


@plugins.command()
@click.argument("names", nargs=-1)
@kind_option
@json_option
def doctor(names: tuple[str, ...], kind: str | None, as_json: bool) -> None:
    """Import each plugin in a process of its own, or only NAMES: what it costs, what it has, what is wrong with it.

    Exit code 1 where something is wrong.
    """
    from mlm.cli.watching import watch
    from mlm.probing import examine

    catalogue = catalogue_here()
    refs = [ref for name in names for ref in named(catalogue, name)] if names else of_kind(catalogue, kind)
    amiss = not names and warned(catalogue)
    with watch("importing", quiet=as_json) as progress:
        found = examine(catalogue, refs, progress)
    if as_json:
        print_json(found)
    else:
        rows = [[one.identity, f"{one.seconds:.2f} s", ", ".join(one.heavy), _diagnosis(one)] for one in found]
        table(["plugin", "import", "heavy", ""], rows)
    if amiss or not all(one.ok for one in found):
        raise SystemExit(1)


@plugins.command()
@click.argument("name")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help='A setting, in TOML: `path="rows.jsonl"`.')
@click.option(
    "--rows", "rows_file", default=None, metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines that data is made of, in place of the kit's rows.",
)  # fmt: skip
@json_option
def check(name: str, settings: tuple[str, ...], rows_file: Path | None, as_json: bool) -> None:
    """Run the conformance kit on a plugin; `mlm plugins` shows the result from then on.

    Exit code 1 where a check fails. An evaluator is given the `completion` of rows as right answers, and what they
    have `rejected` as wrong ones. What needs a model or a file of its own is tested with the kit's classes
    (`mlm.testing`) in the plugin's tests.
    """
    from mlm.cli.watching import watch
    from mlm.conforming import conform
    from mlm.testing import read_rows

    rows = read_rows(rows_file) if rows_file else None
    catalogue = catalogue_here()
    reports = []
    for ref in named(catalogue, name):
        with watch("checking", quiet=as_json) as progress:
            reports.append(conform(catalogue, ref, _toml(settings), Path.cwd(), progress, rows=rows))
    if as_json:
        print_json(reports)
    for report in [] if as_json else reports:
        untested = f", {report.untested} untested" if report.untested else ""
        click.echo(f"{report.identity} {report.version}: {report.passed} of {len(report.results)} checks{untested}")
        for result in report.results:
            word = {"passed": "ok", "failed": "FAILED"}.get(result.outcome, result.outcome)
            place = f"  [{result.where}]" if result.where else ""
            click.echo(f"  {word:<8}  {result.name}: {result.seen or result.demand}{place}")
    if not all(report.ok for report in reports):
        raise SystemExit(1)


@plugins.command()
@click.argument("kind")
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
def new(kind: str, name: str, folder: Path | None) -> None:
    """Write a complete distribution with one plugin of KIND, called NAME, into FOLDER (default: mlm-NAME).

    It has typed code, tests with the conformance kit, a README and a workflow; its tests pass as they are.
    """
    from mlm.plugins import Catalogue, one_of
    from mlm.scaffold import write_distribution

    place = folder or Path(f"mlm-{name}")
    for file in write_distribution(kind, name, place):
        click.echo(f"wrote {file}")
    others = [ref.distribution for ref in Catalogue.discover().of_kind(kind) if ref.name == name]
    if others:
        choice = f'`use = "mlm-{name}/{name}"`'
        warn(f"{' and '.join(others)} has {one_of(kind)} '{name}' too: beside it, a project chooses yours by {choice}")
    click.echo(f"next: cd {place} && pip install --editable '.[dev]' && pytest")


def _diagnosis(one: Examined) -> str:
    return one.problem or "; ".join(["ok", *one.notes])


def _toml(settings: tuple[str, ...]) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads("\n".join(settings))
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"--set takes TOML, such as --set 'depth=3': {error}") from error


def _list(kind: str | None, as_json: bool) -> None:
    catalogue = catalogue_here()
    warned(catalogue)
    rows = [row_of(catalogue, ref) for ref in of_kind(catalogue, kind)]
    if as_json:
        print_json(rows)
        return
    cells = [
        [r["kind"], r["name"], r["distribution"], r["version"], f"{r['state']} {r['reason']}".strip(), r["checked"]]
        for r in rows
    ]
    table(["kind", "name", "distribution", "version", "state", "checked"], cells)
