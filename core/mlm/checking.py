"""Checks the tables of intent against the plugins that they name, before anything is done with them."""

from __future__ import annotations

from collections.abc import Iterator

from mlm.bindings import Binding, check_files
from mlm.deploying import OWN_KEYS
from mlm.errors import ProjectError, near_miss
from mlm.project import FILE, Table
from mlm.steps import inputs_of
from mlm.workspace import Workspace

_KINDS = {"monitoring": "monitors", "improvement": "improvers", "retirement": "triggers"}


def check_intent(workspace: Workspace) -> None:
    """Bind every plugin of governance and of the living system; ProjectError names the table and key at fault."""
    for key in workspace.project.governance.signers:
        if not key.is_file():
            raise ProjectError(f"there is no file {key}", f"{FILE}, governance.signers")
    stages = {table.name: table.section for table in workspace.project.steps}
    for binding in (*_governance(workspace), *_deployments(workspace), *_living(workspace)):
        inputs_of(binding, stages)
        check_files(binding)


def _governance(workspace: Workspace) -> Iterator[Binding]:
    governance = workspace.project.governance
    for kind in ("reviews", "checks", "policies"):
        for spec in getattr(governance, kind):
            yield workspace.bind(kind, spec, f"governance.{kind}")
    if governance.executor:
        yield workspace.bind("executors", governance.executor, "governance.executor")


def _deployments(workspace: Workspace) -> Iterator[Binding]:
    for table in workspace.project.tables("deployment"):
        where = f"deployment.{table.name}"
        yield workspace.bind("targets", {k: v for k, v in table.values.items() if k not in OWN_KEYS}, where)
        for kind in ("guards", "postprocessors"):
            for spec in table.values.get(kind, []):
                yield workspace.bind(kind, spec, f"{where}.{kind}")
        for key, kind in (("rollout", "rollouts"), ("server", "servers")):
            if key in table.values:
                yield workspace.bind(kind, table.values[key], f"{where}.{key}")


def _living(workspace: Workspace) -> Iterator[Binding]:
    for section, kind in _KINDS.items():
        for table in workspace.project.tables(section):
            _known_deployment(workspace, table)
            own = () if section == "retirement" else ("deployment",)
            values = {key: value for key, value in table.values.items() if key not in own}
            yield workspace.bind(kind, values, f"{section}.{table.name}")


def _known_deployment(workspace: Workspace, table: Table) -> None:
    named = table.values.get("deployment")
    names = [deployment.name for deployment in workspace.project.tables("deployment")]
    if named is not None and named not in names:
        hint = near_miss(str(named), names)
        known = ", ".join(names) or "none"
        raise ProjectError(
            f"no deployment is named '{named}' (deployments: {known}){hint}",
            f"{FILE}, {table.section}.{table.name}.deployment",
        )
