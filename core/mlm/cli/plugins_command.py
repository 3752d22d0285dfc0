"""mlm plugins"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlm.cli.opening import catalogue_here, json_option, print_json, table, warn

if TYPE_CHECKING:
    from mlm.discovery import PluginRef
    from mlm.plugins import Catalogue
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
    shown = [_described(catalogue, ref) for ref in named(catalogue, name)]
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
    amiss = not names and _warned(catalogue)
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
@json_option
def check(name: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Run the conformance kit on a plugin; `mlm plugins` shows the result from then on.

    Exit code 1 where a check fails. What needs a model or a file of its own is tested with the kit's classes
    (`mlm.testing`) in the plugin's tests.
    """
    from mlm.cli.watching import watch
    from mlm.conforming import conform

    catalogue = catalogue_here()
    reports = []
    for ref in named(catalogue, name):
        with watch("checking", quiet=as_json) as progress:
            reports.append(conform(catalogue, ref, _toml(settings), Path.cwd(), progress))
    if as_json:
        print_json(reports)
    for report in [] if as_json else reports:
        click.echo(f"{report.identity} {report.version}: {report.passed} of {len(report.results)} checks")
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
    from mlm.plugins import Catalogue
    from mlm.scaffold import write_distribution

    place = folder or Path(f"mlm-{name}")
    for file in write_distribution(kind, name, place):
        click.echo(f"wrote {file}")
    others = [ref.distribution for ref in Catalogue.discover().of_kind(kind) if ref.name == name]
    if others:
        choice = f'`use = "mlm-{name}/{name}"`'
        warn(f"{' and '.join(others)} has {kind[:-1]} '{name}' too: beside it, a project chooses yours by {choice}")
    click.echo(f"next: cd {place} && pip install --editable '.[dev]' && pytest")


def _diagnosis(one: Examined) -> str:
    return one.problem or "; ".join(["ok", *one.notes])


def _toml(settings: tuple[str, ...]) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads("\n".join(settings))
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"--set takes TOML, such as --set 'depth=3': {error}") from error


def of_kind(catalogue: Catalogue, kind: str | None) -> list[PluginRef]:
    """List plugins of a kind, or all."""
    from mlm.errors import near_miss
    from mlm.plugins import KINDS

    if kind is not None and kind not in KINDS:
        raise click.UsageError(f"no kind is named '{kind}' (kinds: {', '.join(KINDS)}){near_miss(kind, KINDS)}")
    return [ref for ref in catalogue.refs if kind in (None, ref.kind)]


def named(catalogue: Catalogue, name: str) -> list[PluginRef]:
    """List the plugins that a name means; there may be one of each kind, and of each distribution."""
    from mlm.discovery import parted
    from mlm.errors import PluginError, near_miss
    from mlm.installed import normal
    from mlm.plugins import KINDS

    distribution, kind, short = parted(name, KINDS)
    hits = [
        ref
        for ref in catalogue.refs
        if ref.name == short and kind in ("", ref.kind) and normal(distribution) in ("", normal(ref.distribution))
    ]
    if not hits:
        raise PluginError(f"no plugin is named '{name}'{near_miss(short, {ref.name for ref in catalogue.refs})}")
    return hits


def _warned(catalogue: Catalogue) -> bool:
    """Warn of what the list of plugins cannot show, and say whether metadata was unreadable."""
    from mlm.installed import unreadable

    for line in catalogue.rules.idle(catalogue.refs):
        warn(line)
    unread = unreadable()
    for place, reason in unread.items():
        warn(f"the metadata in {place} cannot be read ({reason}), nor its plugins: install that distribution again")
    return bool(unread)


def _list(kind: str | None, as_json: bool) -> None:
    from mlm.conforming import kept

    catalogue = catalogue_here()
    _warned(catalogue)
    rows = []
    for ref in of_kind(catalogue, kind):
        state, reason = catalogue.state(ref)
        report = kept(ref)
        checked = f"{report.passed}/{len(report.results)}" if report else ""
        rows.append(
            {"kind": ref.kind, "name": ref.name, "distribution": ref.distribution, "version": ref.version}
            | {"state": state, "reason": reason, "checked": checked}
        )
    if as_json:
        print_json(rows)
        return
    cells = [
        [r["kind"], r["name"], r["distribution"], r["version"], f"{r['state']} {r['reason']}".strip(), r["checked"]]
        for r in rows
    ]
    table(["kind", "name", "distribution", "version", "state", "checked"], cells)


def _described(catalogue: Catalogue, ref: PluginRef) -> dict[str, Any]:
    from mlm.plugins import implemented
    from mlm.schemas import settings_schema

    state, reason = catalogue.state(ref)
    cls = catalogue.load(ref)
    metrics = getattr(cls, "metrics", ())
    return {
        "identity": ref.identity,
        "version": ref.version,
        "state": state,
        "reason": reason,
        "help": (cls.__doc__ or "").strip(),
        "hooks": implemented(cls),
        "metrics": [spec.name for spec in metrics] if isinstance(metrics, Sequence) else [],
        "settings": settings_schema(cls),
    }
