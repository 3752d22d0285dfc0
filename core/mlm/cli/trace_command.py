"""mlm trace"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlm.cli.cite_command import show_rows
from mlm.cli.opening import json_option, open_workspace, print_json, when
from mlm.cli.showing import one_line

if TYPE_CHECKING:
    from mlm.answering import Answered
    from mlm.inspecting import Lineage, Link, Traced


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
    print_json(lineage) if as_json else _show_tree(lineage, _is_upwards(lineage, direction))


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
    _show_tree(answer.lineage, True)
    show_rows(answer.rows)


def _show_tree(lineage: Lineage, upwards: bool) -> None:
    """Draw a lineage; a node that was drawn before is named, not drawn again."""
    nodes = {node.ref: node for node in lineage.nodes}
    edges: dict[str, dict[str, list[Link]]] = {}
    for edge in lineage.edges:
        here, there = (edge.target, edge.source) if upwards else (edge.source, edge.target)
        edges.setdefault(here, {}).setdefault(there, []).append(edge)
    drawn: set[str] = set()
    waiting: list[tuple[str, list[Link], str, str]] = [(lineage.start, [], "", "")]
    while waiting:
        ref, links, guide, indent = waiting.pop()
        click.echo(guide + _label(nodes[ref], links, again=ref in drawn))
        if ref not in drawn:
            drawn.add(ref)
            branches = list(edges.get(ref, {}).items())
            for following, between in reversed(branches):
                last = following == branches[-1][0]
                tee, below = ("└── ", "    ") if last else ("├── ", "│   ")
                waiting.append((following, between, indent + tee, indent + below))


def _label(node: Traced, links: list[Link], *, again: bool) -> str:
    roles = ", ".join(f"{link.role}/{link.split}" if link.split else link.role for link in links)
    label = f"{click.style(node.ref, bold=True)} {node.kind} {node.digest[:12]}{f' as {roles}' if roles else ''}"
    return f"{label} (above)" if again else label
