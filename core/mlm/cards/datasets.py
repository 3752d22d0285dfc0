"""The card of one dataset version (Gebru et al. 2021), from the registry and `[problem]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlm.artifacts import Card
from mlm.cards.columns import features
from mlm.cards.markdown import bullets, card, code, plain, section, table
from mlm.cards.origins import ancestors, execution_of, lineage, rows_of, settings_of, software
from mlm.cards.tasks import pipeline_tag, size_category
from mlm.errors import MlmError
from mlm.pages.quantities import moment, number, size
from mlm.tallies import ERASE
from mlm.workspace import Workspace
from mlm_registry import Execution, Node, Registry
from mlm_registry.erasing import ERASED

PERSONAL_DATA_TRANSFORM = "pii"
"""The bundled transform that finds and removes personal data."""
_HOW = {"added": "Added by an approved amendment", ERASED: "Rows were erased from"}
"""How inputs that no plugin named went into a dataset, by their role."""


def dataset_card(workspace: Workspace, ref: str) -> Card:
    """Write a dataset card: Markdown with the Hub's YAML head."""
    registry, problem = workspace.registry, workspace.project.problem
    node = registry.node(ref)
    if node.kind != "dataset":
        raise MlmError(f"{node.ref} is a {node.kind}, not a dataset")
    execution = execution_of(registry, node)
    columns = features(registry, node)
    text = card(
        _head(workspace, node, columns),
        f"# {node.ref}\n\nData of {plain(problem.name)}: {plain(problem.purpose)}",
        _motivation(workspace),
        _composition(node, columns),
        _collection(workspace, node, execution),
        _processing(node, execution),
        _personal(node, registry),
        _uses(registry, node),
        _distribution(workspace),
        _maintenance(workspace, node),
        lineage([*ancestors(registry, node), node]),
        software(execution),
    )
    return Card(node.ref, text)


def _rows(node: Node) -> dict[str, int]:
    return {str(name): int(count) for name, count in dict(node.metadata.get("rows", {})).items()}


def _head(workspace: Workspace, node: Node, columns: list[dict[str, str]]) -> dict[str, Any]:
    problem, rows = workspace.project.problem, _rows(node)
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in rows]
    splits = [{"name": split, "num_examples": count} for split, count in rows.items()]
    return {
        "pretty_name": f"{problem.name} {node.name}",
        "license": problem.license.lower(),
        "language": list(problem.languages),
        "task_categories": [pipeline_tag(problem.task)],
        "size_categories": [size_category(sum(rows.values()))],
        "tags": ["mlm", problem.name],
        "configs": [{"config_name": "default", "data_files": files}] if files else [],
        "dataset_info": {"config_name": "default", "features": columns, "splits": splits} if splits else {},
    }


def _motivation(workspace: Workspace) -> str | None:
    problem = workspace.project.problem
    lines = [f"For what: {plain(problem.purpose)}", f"Task: {problem.task}"]
    lines += [f"Who made it: {plain(problem.owner)}"] if problem.owner else []
    lines += [f"It must keep to: {plain('; '.join(problem.constraints))}"] if problem.constraints else []
    return section("Motivation", bullets(lines))


def _composition(node: Node, columns: list[dict[str, str]]) -> str | None:
    rows = _rows(node)
    total = f"{number(sum(rows.values()))} rows, {size(node.size_bytes)}, made {moment(node.created)} UTC."
    splits = table(("Split", "Rows"), [(name, number(count)) for name, count in rows.items()])
    named = table(("Column", "Type"), [(column["name"], column["dtype"]) for column in columns])
    return section("Composition", total, splits, named)


def _collection(workspace: Workspace, node: Node, execution: Execution | None) -> str | None:
    """Say where the rows come from: the source plugin with its settings, other datasets, amendments."""
    lines = []
    if execution:
        settings = code(settings_of(workspace, execution))
        lines.append(f"Read by {execution.plugin} {execution.distribution_version} with {settings}.")
    for role, source, _ in workspace.registry.inputs(node):
        how = _HOW.get(role, f"Input `{role}`")
        lines.append(f"{how}: {source.ref} ({rows_of(source)}).")
    return section("Sources", bullets(lines) if lines else None)


def _processing(node: Node, execution: Execution | None) -> str | None:
    """Write the funnel: rows in, out, changed and removed with reasons, transform by transform, in order."""
    chain = _chain(node)
    # Before the transforms stand the source, and what was added and erased; after them what was erased since.
    transforms, since = _settings(execution), sum(link["step"] == ERASE for link in chain)
    settings = ["—"] * (len(chain) - len(transforms) - since) + transforms + ["—"] * since
    rows = [
        (
            link["step"], number(link["rows_in"]), number(link["rows_out"]), number(link.get("changed", 0)),
            ", ".join(f"{reason} {number(count)}" for reason, count in dict(link.get("removed", {})).items()) or "—",
            told,
        )
        for link, told in zip(chain, settings, strict=False)
    ]  # fmt: skip
    heads = ("Step", "Rows in", "Rows out", "Changed", "Removed, by reason", "Settings")
    note = "Each removed row, unless erased, is kept in `removed.parquet` with its id, source, transform and reason."
    return section("Preprocessing", table(heads, rows), note if rows else None)


def _chain(node: Node) -> list[Mapping[str, Any]]:
    return list(node.metadata.get("chain", ()))


def _settings(execution: Execution | None) -> list[str]:
    """Return the recorded settings of each transform of the chain, in order."""
    return [_told(link) for link in (execution.settings.get("steps", ()) if execution else ())]


def _told(link: Any) -> str:
    if not isinstance(link, Mapping):
        return "—"
    return code({key: value for key, value in link.items() if key != "use"}) if len(link) > 1 else "defaults"


def _personal(node: Node, registry: Registry) -> str | None:
    """Say what the chain did about personal data, here and in the datasets that this one came from."""
    cleaned, bare = [], []
    for one in [*ancestors(registry, node), node]:
        if one.kind != "dataset":
            continue
        links = [link for link in _chain(one) if link["step"] == PERSONAL_DATA_TRANSFORM]
        if not links:
            bare.append(one.ref)
            continue
        changed = sum(int(link.get("changed", 0)) for link in links)
        removed = sum(sum(dict(link.get("removed", {})).values()) for link in links)
        cleaned.append(f"{one.ref}: {number(changed)} rows changed, {number(removed)} removed")
    lines = [f"The transform `{PERSONAL_DATA_TRANSFORM}` looked for personal data in {line}." for line in cleaned]
    if node.ref in bare:
        lines.append(f"No transform looked for personal data in {node.ref} itself.")
    lines += [f"No transform looked for personal data in {ref}, which it came from." for ref in bare if ref != node.ref]
    rest = "A pattern finds what it knows: absence of a finding is no proof that no personal data is left."
    return section("Personal and sensitive information", bullets(lines), rest)


def _uses(registry: Registry, node: Node) -> str | None:
    """Name what was made of this version, and who serves it."""
    rows, reports = [], 0
    for made in map(registry.node, registry.graph.downstream(node.id)):
        if made.kind == "report":
            reports += 1
            continue
        serving = ", ".join(f"{name} {share:.0%}" for name, share in registry.deployments.serving(made.id))
        rows.append((made.ref, made.kind, serving or "—"))
    told = f"{number(reports)} evaluation reports rest on it." if reports else None
    told = told if rows or told else "Nothing was made of this version yet."
    return section("Uses", told, table(("Made of it", "Kind", "Serves"), rows))


def _distribution(workspace: Workspace) -> str | None:
    problem = workspace.project.problem
    lines = [
        "Parquet files that `datasets` opens; `mlm export --croissant` describes them for other tools.",
        f"Licence: {problem.license}." if problem.license else "No licence is named: ask before it is given away.",
    ]
    return section("Distribution", bullets(lines))


def _maintenance(workspace: Workspace, node: Node) -> str | None:
    """Say who answers, which versions there are, and what becomes of a person's rows."""
    owner = workspace.project.problem.owner
    versions = workspace.registry.nodes(kind="dataset", name=node.name)[::-1]
    buried = workspace.registry.erasures.buried()
    erased = [one.ref for one in versions if one.id in buried]
    lines = [f"Ask {plain(owner)}." if owner else "Nobody is named who answers for it."]
    lines.append(f"Versions: {', '.join(f'{one.ref} ({moment(one.created)})' for one in versions)}.")
    if erased:
        lines.append(f"Replaced because rows were erased: {', '.join(erased)}.")
    lines.append("A person's rows are erased from every version with `mlm erase --subject`.")
    return section("Maintenance", bullets(lines))
