"""mlm trace"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.cite_command import one_line, show_rows
from mlm.cli.opening import console, json_option, open_workspace, print_json, when

if TYPE_CHECKING:
    from rich.tree import Tree

    from mlm.answering import Answered
    from mlm.inspecting import Lineage, Link


@click.command()
@click.argument("ref")
@click.option("--up", "direction", flag_value="up", default="up", help="What it came from (default).")
@click.option("--down", "direction", flag_value="down", help="What came from it.")
@click.option("--to", "to", metavar="REF", help="Only what lies between the two.")
@json_option
def trace(ref: str, direction: str, to: str | None, as_json: bool) -> None:
    """Follow the lineage of REF: a node, an alias such as `production`, or the id of a response.

    A response leads to its version, the gates that it passed, the datasets, and the most similar rows of the raw files.
    """
    from mlm.inspecting import is_response
    from mlm.inspecting import trace as follow

    registry = open_workspace().registry
    if is_response(ref) and to is None and direction == "up":
        from mlm.answering import answered

        answer = answered(registry, ref)
        print_json(answer) if as_json else _show_answer(answer)
        return
    lineage = follow(registry, ref, "down" if direction == "down" else "up", to)
    print_json(lineage) if as_json else console().print(_tree(lineage, _is_upwards(lineage, direction)))


def _is_upwards(lineage: Lineage, direction: str) -> bool:
    """Say whether edges lead to the start: between two nodes the order in which they were named decides."""
    return direction == "up" and not any(edge.source == lineage.start for edge in lineage.edges)


def _show_answer(answer: Answered) -> None:
    click.echo(f"{answer.response}  {when(answer.at)}  {answer.deployment} revision {answer.revision}")
    click.echo(f"asked     {one_line(answer.prompt)}")
    click.echo(f"answered  {one_line(answer.answer)}")
    click.echo(f"by        {answer.version} ({answer.state})")
    for gate in answer.gates:
        click.echo(f"gate      {gate.outcome:<14}{gate.reason}")
    console().print(_tree(answer.lineage, True))
    show_rows(answer.rows)


def _tree(lineage: Lineage, upwards: bool) -> Tree:
    """Draw a lineage; a node that was drawn before is named, not drawn again."""
    from rich.tree import Tree

    nodes = {node.ref: node for node in lineage.nodes}
    edges: dict[str, dict[str, list[Link]]] = {}
    for edge in lineage.edges:
        here, there = (edge.target, edge.source) if upwards else (edge.source, edge.target)
        edges.setdefault(here, {}).setdefault(there, []).append(edge)
    drawn: set[str] = set()

    def branch(ref: str, links: list[Link], parent: Tree | None) -> Tree:
        node, again = nodes[ref], ref in drawn
        roles = ", ".join(f"{link.role}/{link.split}" if link.split else link.role for link in links)
        label = f"[bold]{ref}[/bold] {node.kind} {node.digest[:12]}{f' as {roles}' if roles else ''}"
        label += " (above)" if again else ""
        tree = parent.add(label) if parent else Tree(label)
        if not again:
            drawn.add(ref)
            for following, between in edges.get(ref, {}).items():
                branch(following, between, tree)
        return tree

    return branch(lineage.start, [], None)
