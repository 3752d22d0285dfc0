"""mlm deploy"""

from __future__ import annotations

import click

from mlm.cli.opening import actor, by_option, json_option, open_workspace, print_json


@click.command()
@click.argument("deployment", required=False)
@by_option
@json_option
def deploy(deployment: str | None, by: str | None, as_json: bool) -> None:
    """Make the next move of DEPLOYMENT's traffic towards the version that its alias points at.

    The first version takes all traffic; a later one starts as a canary, and each call (or `mlm reconcile`) judges it.
    """
    from mlm.deploying import Endpoint, move_traffic, observe

    workspace = open_workspace()
    endpoint = Endpoint.of(workspace.project.deployment(deployment))
    action = move_traffic(workspace, endpoint, actor(by))
    current = workspace.registry.deployments.current(endpoint.name)
    observed = observe(workspace, endpoint, current) if current else None
    if as_json:
        print_json({"action": action, "desired": current, "observed": observed})
        return
    if action is None and current is None:
        click.echo(f"{endpoint.alias} points at nothing yet: mlm promote {endpoint.model} --to {endpoint.alias}")
        return
    click.echo(action.text if action else "nothing to do: the alias's version serves all traffic")
    if observed:
        click.echo(f"endpoint: {observed.detail or observed.url}")
