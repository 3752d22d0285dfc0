"""Checks that the project file and its plugins fit together, before anything is done with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mlm.bindings import check_files
from mlm.deploying import OWN_KEYS, Endpoint
from mlm.errors import ProjectError, near_miss
from mlm.mistakes import Mistakes
from mlm.project import FILE, Table
from mlm.steps import check_step_files, inputs_of
from mlm.workspace import Workspace

_KINDS = {"monitoring": "monitors", "improvement": "improvers", "retirement": "triggers"}


def check_intent(workspace: Workspace) -> None:
    """Bind every plugin of the project, and look for its files; ProjectError names each table and key at fault."""
    mistakes = Mistakes()
    for key in workspace.project.governance.signers:
        if not key.is_file():
            mistakes.add(f"there is no file {key}", f"{FILE}, governance.signers")
    stages = {table.name: table.section for table in workspace.project.steps}
    for section in _KINDS:
        for table in workspace.project.tables(section):
            mistakes.of(_known_deployment, workspace, table)
    mistakes.of(_one_model_an_alias, workspace)
    for named in (*_governance(workspace), *_deployments(workspace), *_living(workspace)):
        mistakes.of(_check, workspace, stages, *named)
    mistakes.of(lambda: check_step_files(workspace.steps))
    mistakes.tell()


def _check(
    workspace: Workspace, stages: Mapping[str, str], kind: str, spec: Any, where: str, own: Collection[str] = ()
) -> None:
    binding = workspace.bind(kind, spec, where, own)
    inputs_of(binding, stages)
    check_files(binding)


_Named = tuple[str, Any, str] | tuple[str, Any, str, Collection[str]]
"""Kind, name or table, place in the file, and keys of the table that are not the plugin's."""


def _governance(workspace: Workspace) -> Iterator[_Named]:
    governance = workspace.project.governance
    for kind in ("reviews", "checks", "policies"):
        for spec in getattr(governance, kind):
            yield kind, spec, f"governance.{kind}"
    if governance.executor:
        yield "executors", governance.executor, "governance.executor"


def _deployments(workspace: Workspace) -> Iterator[_Named]:
    for table in workspace.project.tables("deployment"):
        where = f"deployment.{table.name}"
        yield "targets", {k: v for k, v in table.values.items() if k not in OWN_KEYS}, where, OWN_KEYS
        for kind in ("guards", "postprocessors"):
            for spec in table.values.get(kind, []):
                yield kind, spec, f"{where}.{kind}"
        for key, kind in (("rollout", "rollouts"), ("server", "servers")):
            if key in table.values:
                yield kind, table.values[key], f"{where}.{key}"


def _living(workspace: Workspace) -> Iterator[_Named]:
    for section, kind in _KINDS.items():
        for table in workspace.project.tables(section):
            own = () if section == "retirement" else ("deployment",)
            values = {key: value for key, value in table.values.items() if key not in own}
            yield kind, values, f"{section}.{table.name}", own


def _one_model_an_alias(workspace: Workspace) -> None:
    """Refuse deployments of different models that follow one alias: each promotion would take it from the other."""
    first: dict[str, Endpoint] = {}
    for table in workspace.project.tables("deployment"):
        one = Endpoint.of(table)
        other = first.setdefault(one.alias, one)
        if other.model != one.model:
            raise ProjectError(
                f"'{one.name}' serves {one.model} and '{other.name}' serves {other.model}, and both follow the alias"
                f" '{one.alias}': give one an alias of its own, such as `alias = \"{one.name}\"`",
                f"{table.where}.alias",
            )


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
