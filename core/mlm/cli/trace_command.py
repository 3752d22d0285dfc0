"""mlm trace"""

from __future__ import annotations

import click

from mlm.cli.opening import console, json_option, open_workspace, print_json


@click.command()
@click.argument("ref")
@click.option("--up", "direction", flag_value="up", default="up", help="What it came from (default).")
@click.option("--down", "direction", flag_value="down", help="What came from it.")
@json_option
def trace(ref: str, direction: str, as_json: bool) -> None:
    """Follow the lineage of REF: a node, an alias such as `production`, or the id of a response."""
    from mlm.inspecting import resolve
    from mlm.inspecting import trace as trace_node

    registry = open_workspace().registry
    rows = trace_node(registry, ref, "down" if direction == "down" else "up")
    if as_json:
        print_json(rows)
        return
    console().print(_tree(resolve(registry, ref).ref, rows, direction))


def _tree(ref: str, rows: list, direction: str):  # type: ignore[no-untyped-def,type-arg]
    """Return the lineage as a tree; a node that was drawn before is named, not drawn again."""
    from rich.tree import Tree

    by_ref = {row.ref: row for row in rows}
    targets: dict[str, list[str]] = {}
    for row in rows:
        for source in row.sources:
            targets.setdefault(source, []).append(row.ref)
    drawn: set[str] = set()

    def branch(name: str, parent: Tree | None) -> Tree:
        row = by_ref[name]
        again = name in drawn
        label = f"[bold]{name}[/bold] {row.kind} {row.digest[:12]}" + (" (above)" if again else "")
        tree = parent.add(label) if parent else Tree(label)
        if not again:
            drawn.add(name)
            following = row.sources if direction == "up" else targets.get(name, [])
            for following_name in following:
                if following_name in by_ref:
                    branch(following_name, tree)
        return tree

    return branch(ref, None)
