"""The card of one model version (Mitchell et al. 2019), from the registry and `[problem]`."""

from __future__ import annotations

from typing import Any

from mlm.artifacts import Card
from mlm.cards.markdown import bullets, card, code, plain, section, table
from mlm.cards.origins import ancestors, execution_of, lineage, rows_of, settings_of, software
from mlm.cards.results import evaluation, gates, limitations, model_index
from mlm.cards.tasks import library_name, pipeline_tag
from mlm.pages.quantities import duration, moment, number, size
from mlm.problem import Problem
from mlm.standing import Standing
from mlm.workspace import Workspace
from mlm_registry import ModelVersion, Node, Registry, Score


def model_card(workspace: Workspace, ref: str) -> Card:
    """Write a model card: Markdown with the Hub's YAML head."""
    registry = workspace.registry
    version = registry.models.version(ref)
    node = version.node
    before = ancestors(registry, node)
    standing = Standing(workspace).scores(version)
    scores = [one.score for one in standing]
    problem = workspace.project.problem
    text = card(
        _head(workspace, node, before, scores),
        f"# {node.ref}\n\n{plain(problem.purpose)}",
        _details(workspace, version),
        _use(problem),
        _training_data(registry, [*before, node]),
        _procedure(workspace, [*before, node]),
        evaluation(workspace, scores),
        gates(registry.judgements(subject=node.digest, latest=True)),
        limitations(workspace, node, standing),
        lineage([*before, node]),
        software(execution_of(registry, node)),
        _governance(registry, version),
    )
    return Card(node.ref, text)


def _head(workspace: Workspace, node: Node, before: list[Node], scores: list[Score]) -> dict[str, Any]:
    registry, problem = workspace.registry, workspace.project.problem
    parents = [n for _, n, _ in registry.inputs(node) if n.kind == "model" and not _is_tokenizer(n)]
    data = {n.name for _, n in _fed(registry, [*before, node])}
    return {
        "license": problem.license.lower(),
        "language": list(problem.languages),
        "library_name": library_name(str(node.metadata.get("library", "transformers"))),
        "pipeline_tag": pipeline_tag(problem.task),
        "base_model": sorted({n.name for n in parents}),
        "datasets": sorted(data),
        "metrics": sorted({score.metric for score in scores}),
        "tags": sorted({"mlm", problem.task, problem.name}),
        "model-index": model_index(workspace, node, scores),
    }


def _is_tokenizer(node: Node) -> bool:
    return node.kind == "tokenizer" or node.metadata.get("library") == "tokenizers"


def _details(workspace: Workspace, version: ModelVersion) -> str | None:
    node, problem = version.node, workspace.project.problem
    facts = [
        ("Version", node.ref),
        ("State", version.state + (", recalled" if version.recalled else "")),
        ("Digest (BLAKE3)", code(node.digest)),
        ("Size", size(node.size_bytes)),
        ("Made (UTC)", moment(node.created)),
        ("Owner", problem.owner),
        ("Licence", problem.license),
        ("Risk tier (EU AI Act)", problem.risk_tier),
        ("Languages", ", ".join(problem.languages)),
    ]
    facts += [(key.replace("_", " "), _shown(value)) for key, value in node.metadata.items() if value is not None]
    return section("Model details", table(("", ""), [(k, v) for k, v in facts if v]))


def _shown(value: Any) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _use(problem: Problem) -> str:
    intended = [plain(problem.purpose), f"Task: {problem.task}."]
    limits = bullets(problem.constraints) if problem.constraints else None
    out = [
        f"Anything but the purpose above. It must not help with: {', '.join(problem.abuse)}."
        if problem.abuse
        else "Anything but the purpose above. No abuse was named in the problem statement."
    ]
    parts = [section("Intended use", *intended, limits), section("Out-of-scope use", *out)]
    return "\n\n".join(part for part in parts if part)


def _fed(registry: Registry, nodes: list[Node]) -> list[tuple[Node, Node]]:
    """Return (model, dataset) for each dataset that one of the models was directly trained on."""
    models = [n for n in nodes if n.kind == "model"]
    return [(model, source) for model in models for _, source, _ in registry.inputs(model) if source.kind == "dataset"]


def _training_data(registry: Registry, nodes: list[Node]) -> str | None:
    rows = [(source.ref, model.ref, rows_of(source), code(source.digest)) for model, source in _fed(registry, nodes)]
    return section("Training data", table(("Dataset", "Went into", "Rows", "Digest"), rows))


def _procedure(workspace: Workspace, nodes: list[Node]) -> str | None:
    """Write each step that made a model, oldest first, with settings, seed, compute, time and cost."""
    rows = []
    for node in nodes:
        execution = execution_of(workspace.registry, node)
        if node.kind != "model" or execution is None:
            continue
        flops = node.metadata.get("training_flops")
        rows.append(
            (
                node.ref, execution.stage, f"{execution.plugin} {execution.distribution_version}",
                code(settings_of(workspace, execution)), execution.seed, f"{flops:.3g}" if flops else "—",
                duration(execution.seconds), f"{execution.cost_usd:.4f}",
            )
        )  # fmt: skip
    heads = ("Model", "Stage", "Plugin", "Settings", "Seed", "FLOPs", "Duration", "Cost (USD)")
    return section("Training procedure", table(heads, rows))


def _governance(registry: Registry, version: ModelVersion) -> str | None:
    node = version.node
    aliases = [
        f"Alias `{a.name}` points here since {moment(a.at)} UTC."
        for a in registry.models.aliases()
        if a.node == node.id
    ]
    serving = [f"Serves {share:.0%} of deployment `{name}`." for name, share in registry.deployments.serving(node.id)]
    state = f"State: {version.state}." + (" Recalled." if version.recalled else "")
    approvals = [(a.action, a.by, moment(a.at), a.reason) for a in registry.models.approvals(subject=node.ref)]
    return section(
        "State and approvals",
        bullets([state, *aliases, *serving]),
        table(("Action", "By", "At (UTC)", "Reason"), approvals),
    )
