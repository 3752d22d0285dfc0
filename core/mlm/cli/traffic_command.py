"""mlm traffic"""

from __future__ import annotations

from pathlib import Path

import click

from mlm.cli.opening import json_option, measured, open_workspace, print_json


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "deployment", default=None, help="The deployment; default: the only one.")
@click.option(
    "--requests",
    default=0,
    type=click.IntRange(min=0),
    help="How many requests; the files are read again as needed. Default: each row once.",
)
@click.option("--concurrency", default=8, type=click.IntRange(min=1), show_default=True, help="Requests at a time.")
@click.option("--feedback", is_flag=True, help="Rate each answer against the row's completion, as visitors would.")
@click.option("--max-tokens", default=48, show_default=True, help="Longest answer, in tokens.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds to wait for the endpoint to be up.")
@json_option
def traffic(
    files: tuple[Path, ...],
    deployment: str | None,
    requests: int,
    concurrency: int,
    feedback: bool,
    max_tokens: int,
    wait: float,
    as_json: bool,
) -> None:
    """Replay the prompts of FILES (JSON lines with `prompt`, perhaps `completion`) against a deployment, over HTTP."""
    from mlm.visiting import Visitors, endpoint_url, read_prompts, visit

    workspace = open_workspace()
    table = workspace.project.deployment(deployment)
    url = endpoint_url(workspace.registry, table.name, wait)
    prompts = read_prompts(list(files), requests, workspace.project.seed)
    result = visit(Visitors(url, table.name, prompts, concurrency, feedback, max_tokens))
    if as_json:
        print_json(result)
        return
    arms = ", ".join(f"{count} by {version}" for version, count in sorted(result.by_version.items()))
    click.echo(f"{result.requests} requests to {url} in {result.seconds:.1f} s ({result.per_second:.0f}/s): {arms}")
    if result.errors:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in result.errors.items())
        click.echo(f"errors: {kinds}")
    click.echo(f"latency p50 {result.p50_seconds * 1000:.0f} ms, p95 {result.p95_seconds * 1000:.0f} ms")
    if feedback:
        share = result.right / result.rated if result.rated else None
        right = measured(share, unit="share", n=result.rated)
        click.echo(f"answers that visitors found right: {right}")
