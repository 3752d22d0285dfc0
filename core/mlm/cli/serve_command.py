"""mlm serve"""

from __future__ import annotations

import click

from mlm.cli.opening import open_workspace


@click.command()
@click.argument("deployment", required=False)
def serve(deployment: str | None) -> None:
    """Run DEPLOYMENT's endpoint in this process until it is stopped (Ctrl-C).

    It loads only what the registry admits, follows `mlm deploy` and `mlm reconcile`, and records every exchange.
    """
    from attrs import evolve

    from mlm.deploying import Endpoint, desired, target
    from mlm.errors import MlmError
    from mlm.gates import admit

    workspace = open_workspace()
    endpoint = Endpoint.of(workspace.project.deployment(deployment))
    current = workspace.registry.deployments.current(endpoint.name)
    if current is None:
        raise MlmError(f"'{endpoint.name}' has nothing to serve yet: mlm promote {endpoint.model}, then mlm deploy")
    plugin = target(workspace, endpoint)
    if not plugin.implements("mlm_serve"):
        raise MlmError(f"the target '{plugin.ref.name}' runs elsewhere and cannot be served from here")
    by = f"gateway {endpoint.name}"
    wanted = desired(workspace, endpoint, current, whole=True)
    context = workspace.serving_context(endpoint.name, endpoint.server, lambda node: admit(workspace, node, by))
    plugin.serve(wanted, evolve(context, progress=_tell))
    click.echo("stopped")


def _tell(done: float, total: float | None = None, note: str = "") -> None:
    click.echo(f"{note}  (Ctrl-C stops)")
