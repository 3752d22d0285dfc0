"""What commands share: opening the project, printing, and JSON."""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlm.cli.showing import visible

if TYPE_CHECKING:
    from mlm.plugins import Catalogue
    from mlm.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])


def open_workspace() -> Workspace:
    """Open the project that the command line means, closed when the command ends."""
    from mlm.project import find_project
    from mlm.workspace import Workspace

    context = click.get_current_context()
    given = (context.find_root().obj or {}).get("project")
    folder = find_project(Path(given) if given else Path.cwd())
    workspace = Workspace(folder, report=warn)
    workspace.debugging = bool((context.find_root().obj or {}).get("debug"))
    context.call_on_close(workspace.close)
    # Modules and classes live as long as the process, so they are never garbage, not even when it ends.
    gc.freeze()
    return workspace


def warn_of_newest(workspace: Workspace, ref: str) -> None:
    """Warn where a bare name, which means the newest version, is of a step that makes another version now."""
    from mlm.standing import up_to_date

    name = ref.partition("/")[0]
    standing = up_to_date(workspace, name)
    newest = workspace.registry.node(name) if standing else None
    if standing and newest and newest.id != standing.id:
        warn(f"this is {newest.ref}, and {standing.ref} is up to date: mlm.toml or the code changed back since")


def catalogue_here(*, strict: bool = False) -> Catalogue:
    """Return the catalogue under the rules of the project, where there is one.

    A project file whose rules cannot be read is warned of, unless `strict`: what is installed can be listed still, but
    only mlm's own plugins may be imported, for any other may be one that the rules deny.
    """
    from mlm.discovery import Rules
    from mlm.errors import ProjectError
    from mlm.plugins import Catalogue
    from mlm.project import find_project, load_rules

    context = click.get_current_context(silent=True)
    given = (context.find_root().obj or {}).get("project") if context else None
    try:
        folder = find_project(Path(given) if given else Path.cwd())
    except ProjectError:
        return Catalogue.discover(report=warn)
    try:
        return Catalogue.discover(load_rules(folder), warn)
    except ProjectError as error:
        if strict:
            raise
        warn(f"{error}: until it can be read, only mlm's own plugins may be used")
        return Catalogue.discover(Rules.of(allow=["mlm"]), warn)


def warn(line: str) -> None:
    """Say what went wrong and was survived, or will go wrong one day."""
    click.echo(f"Warning: {line}", err=True)


def json_option(function: F) -> F:
    """Add `--json`: the same answer for a program."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def by_option(function: F) -> F:
    """Add `--by`: in whose name the command acts."""
    return click.option("--by", default=None, help="In whose name; default: MLM_USER or the login name.")(function)


def actor(by: str | None) -> str:
    from mlm.workspace import current_user

    return by or current_user()


def print_json(value: Any) -> None:
    """Print records, paths and tuples as JSON."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: Any) -> Any:
    import attrs

    if attrs.has(type(value)):
        return {name: plain(part) for name, part in attrs.asdict(value, recurse=False).items()}
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def table(columns: list[str], rows: list[list[str]], title: str | None = None, empty: str = "nothing found") -> None:
    """Print a table that fits the terminal; numbers stand to the right. Of no rows, `empty` is said, if anything."""
    if not rows:
        if empty:
            click.echo(f"{title}: {empty}" if title else empty)
        return
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    grid = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, name in enumerate(columns):
        cells = [row[position] for row in rows]
        numeric = bool(cells) and all(cell == "" or cell[:1].isdigit() or cell[:1] == "-" for cell in cells)
        grid.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(escape(visible(cell)) for cell in row))
    console().print(grid)


def console() -> Any:
    """Return a console as wide as the terminal, or 176 columns where there is none."""
    import sys

    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 176)


def measured(
    value: float | None, low: float | None = None, high: float | None = None, unit: str = "", n: int = 0
) -> str:
    """Write a measure with its unit and sample size: `98.3 [96.4, 99.2] % n=360`."""
    if value is None:
        return "not measured"
    return " ".join(filter(None, [compact(value, low, high, unit), shown_unit(unit), f"n={n}" if n else ""]))


def compact(value: float, low: float | None, high: float | None, unit: str) -> str:
    """Write a measure in three digits, a share as a percentage: `98.3 [96.4, 99.2]`."""
    texts = [_digits(part, unit) for part in (value, low, high) if part is not None]
    return f"{texts[0]} [{', '.join(texts[1:])}]" if len(texts) == 3 else texts[0]


def _digits(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.1f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def shown_unit(unit: str) -> str:
    """Return a unit as people read it beside what `compact` writes."""
    return "%" if unit == "share" else unit


def when(seconds: float) -> str:
    """Write a time in the local zone."""
    import time

    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""
