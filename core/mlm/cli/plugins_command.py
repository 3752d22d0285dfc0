"""mlm plugins"""

from __future__ import annotations

from typing import Any

import click

from mlm.cli.opening import json_option, print_json, table


@click.command()
@click.argument("name", required=False)
@click.option("--kind", default=None, help="Only this kind, such as trainers.")
@json_option
def plugins(name: str | None, kind: str | None, as_json: bool) -> None:
    """List the installed plugins, or show the settings of NAME (`dpo`, or `trainers/dpo`)."""
    from mlm.errors import PluginError, near_miss
    from mlm.plugins import KINDS, Catalogue

    if kind is not None and kind not in KINDS:
        raise click.UsageError(f"no kind is named '{kind}' (kinds: {', '.join(KINDS)}){near_miss(kind, KINDS)}")
    catalogue = Catalogue.discover()
    refs = [ref for ref in catalogue.refs if kind in (None, ref.kind)]
    if name is None:
        _list(catalogue, refs, as_json)
        return
    in_kind, _, short = name.rpartition("/")
    hits = [ref for ref in refs if ref.name == short and in_kind in ("", ref.kind)]
    if not hits:
        raise PluginError(f"no plugin is named '{name}'{near_miss(short, {ref.name for ref in refs})}")
    shown = [_described(catalogue, ref) for ref in hits]
    if as_json:
        print_json(shown)
    for view in [] if as_json else shown:
        click.echo(f"{view['identity']} {view['version']}\n{view['help']}")
        rows = [[s["name"], s["type"], s["default"], s["unit"], s["help"]] for s in view["settings"]]
        table(["setting", "type", "default", "unit", "help"], rows)


def _list(catalogue: Any, refs: list[Any], as_json: bool) -> None:
    from mlm.plugins import states

    rows = [
        {"kind": r.kind, "name": r.name, "distribution": r.distribution, "version": r.version, "quarantined": reason}
        for r, reason in states(catalogue, refs)
    ]
    if as_json:
        print_json(rows)
    else:
        table(
            ["kind", "name", "distribution", "version", "state"],
            [[r["kind"], r["name"], r["distribution"], r["version"], r["quarantined"] or "ready"] for r in rows],
        )


def _described(catalogue: Any, ref: Any) -> dict[str, Any]:
    from mlm.schemas import settings_schema

    cls = catalogue.load(ref)
    return {
        "identity": ref.identity,
        "version": ref.version,
        "help": (cls.__doc__ or "").strip(),
        "settings": settings_schema(cls),
    }
