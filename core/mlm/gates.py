"""Gates, promotion and admission: what may be approved, and what may be loaded. All of them fail closed."""

from __future__ import annotations

from typing import Literal

from attrs import evolve

from mlm.artifacts import Model
from mlm.auditing import touched_beneath
from mlm.errors import Refused
from mlm.handles import model_handle
from mlm.honouring import not_honoured
from mlm.intent import Candidate
from mlm.requirements import Requirement
from mlm.signing import signature_refusal
from mlm.standing import Standing, recalled_upstream
from mlm.steering import Steering, steering
from mlm.verdicts import Verdict, all_of
from mlm.workspace import Workspace
from mlm_registry import Corrupt, Judgement, ModelVersion, Node, Registry, RegistryError


def judge_gates(
    workspace: Workspace, version: ModelVersion, *, store: bool = True
) -> list[tuple[Requirement, Verdict]]:
    """Judge every requirement that has a gate on this very digest, and store the verdicts."""
    found = []
    reports = Standing(workspace).reports(version)
    for row in steering(workspace):
        if row.gate is None:
            continue
        verdict = _gate(workspace.registry, version, row, reports.get(row.gate))
        if store:
            workspace.registry.judge(_judgement(workspace, version, "gate", row.requirement.name, verdict))
        found.append((row.requirement, verdict))
    return found


def _gate(registry: Registry, version: ModelVersion, row: Steering, report: Node | None) -> Verdict:
    metric, ref, name = row.requirement.metric, version.node.ref, row.requirement.name
    if report is None:
        reason = f"{name}: {metric} of {ref} has no up-to-date measure by '{row.gate}' (mlm run {row.gate})"
        return Verdict("fail", "not-evaluated", reason, by=row.gate or "")
    scores = registry.scores(model=version.node.digest, metric=metric, report=report.id)
    if not scores:
        reason = f"{name}: '{row.gate}' could not measure {metric} on {ref}"
        return Verdict("inconclusive", "not-measured", reason, by=row.gate or "")
    newest = scores[0]
    verdict = row.requirement.judge(newest.value, newest.low, newest.high, by=row.gate or "")
    coverage = report.metadata.get("coverage", {}).get(metric)
    return evolve(verdict, evidence={**verdict.evidence, "n": newest.n, "coverage": coverage, "report": newest.report})


def _judgement(workspace: Workspace, version: ModelVersion, kind: str, by: str, verdict: Verdict) -> Judgement:
    return Judgement(
        subject=version.node.digest,
        kind=kind,
        by=by,
        outcome=verdict.outcome,
        code=verdict.code,
        reason=verdict.reason,
        requirements=workspace.requirements_digest,
        low=verdict.low,
        high=verdict.high,
        evidence=verdict.evidence,
    )


def run_checks(
    workspace: Workspace, version: ModelVersion, action: Literal["promote", "admit"], *, store: bool = True
) -> list[Verdict]:
    """Ask every check that the project names; one that raises is a refusal."""
    candidate = _candidate(workspace, version, action)
    verdicts = []
    for spec in workspace.project.governance.checks:
        plugin = workspace.plugin("checks", spec, "governance.checks")
        name = plugin.ref.name
        try:
            verdict = evolve(plugin.check(candidate, workspace.context(name)), by=name)
        except Exception as error:
            verdict = Verdict("fail", "check-crashed", f"{name} raised {type(error).__name__}: {error}", by=name)
        if store:
            workspace.registry.judge(_judgement(workspace, version, "check", name, verdict))
        verdicts.append(verdict)
    return verdicts


def _candidate(workspace: Workspace, version: ModelVersion, action: Literal["promote", "admit"]) -> Candidate:
    registry = workspace.registry
    ancestors = [registry.node(i) for i in registry.graph.upstream(version.node.id)]
    return Candidate(
        version=version,
        model=model_handle(registry, version.node),
        action=action,
        scores=tuple(registry.scores(model=version.node.digest)),
        gates=tuple(registry.judgements(subject=version.node.digest, kind="gate", latest=True)),
        ancestors=tuple(registry.models.version(node.id) for node in ancestors if node.kind == "model"),
    )


def judge(workspace: Workspace, version: ModelVersion, *, store: bool = True) -> list[Verdict]:
    """Return every verdict that stands between a version and its approval; `store` keeps them in the registry."""
    registry = workspace.registry
    if version.state == "retired":
        return [Verdict("fail", "retired", f"{version.node.ref} is retired", by="state")]
    if recalled := recalled_upstream(registry, version.node.id):
        return [Verdict("fail", "recalled", _of_recall(version.node.ref, recalled), by="state")]
    verdicts = [verdict for _, verdict in judge_gates(workspace, version, store=store)]
    if not verdicts:
        verdicts = [Verdict("fail", "no-gate", "no requirement has a gate on this model", by="gates")]
    for canary in registry.judgements(subject=version.node.digest, kind="canary", latest=True):
        if canary.outcome == "fail":
            verdicts.append(Verdict("fail", "failed-canary", f"failed its canary: {canary.reason}", by=canary.by))
    return verdicts + run_checks(workspace, version, "promote", store=store)


def promote(workspace: Workspace, ref: str, alias: str, *, by: str, reason: str) -> list[Verdict]:
    """Approve a version and point an alias at it; Refused with every reason where a verdict is no pass."""
    registry = workspace.registry
    version = registry.models.version(ref)
    workspace.allowed("promote", by)
    verdicts = judge(workspace, version)
    overall = all_of(verdicts)
    if not overall.passed:
        reasons = "; ".join(f"{v.reason} ({v.outcome})" for v in verdicts if not v.passed)
        registry.audit.append("promotion-refused", version.node.ref, by=by, detail={"code": overall.code})
        raise Refused(f"{version.node.ref} is not promoted: {reasons}", overall.code, verdicts)
    with registry.transaction(durable=True):
        # Looked up again inside the transaction: somebody may have retired or recalled it since it was judged.
        version = registry.models.version(version.node.id)
        if version.state == "retired" or recalled_upstream(registry, version.node.id):
            raise Refused(f"{version.node.ref} was retired or recalled meanwhile", "changed")
        registry.models.approve(version.node.ref, "promote", by=by, reason=reason)
        if version.state != "approved":
            registry.models.set_state(version.node.id, "approved", by=by, reason=reason)
        registry.models.move_alias(alias, version.node.id, by=by, reason=reason)
    return verdicts


def _of_recall(ref: str, recalled: str) -> str:
    return f"{ref} is recalled" if recalled == ref else f"{ref} rests on {recalled}, which is recalled"


def admission(workspace: Workspace, node_id: int) -> Verdict:
    """Say whether a server may load a version's weights: one code a refusal."""
    registry = workspace.registry
    version = registry.models.version(node_id)
    ref = version.node.ref
    if touched := touched_beneath(registry, node_id):
        reason = f"{ref}: {touched} behind the registry's back (mlm audit verify lists what was touched)"
        return Verdict("fail", "registry_tampered", reason)
    if broken := not_honoured(registry):
        return Verdict("fail", "erasure_pending", broken)
    if recalled := recalled_upstream(registry, node_id):
        return Verdict("fail", "model_recalled", _of_recall(ref, recalled))
    if version.state == "retired":
        return Verdict("fail", "model_retired", f"{ref} is retired")
    if version.state != "approved":
        return Verdict("fail", "model_not_approved", f"{ref} is a {version.state}: promote it first")
    if damage := _damage(registry, version.node):
        return damage
    if (unsigned := signature_refusal(workspace, version.node)) is not None:
        return unsigned
    if refused := gates_refuse(workspace, version):
        return Verdict("fail", "gates_not_passed", f"{ref}: {refused}")
    if refusal := next((v for v in run_checks(workspace, version, "admit", store=False) if not v.passed), None):
        return Verdict("fail", refusal.code.replace("-", "_"), f"{ref}: {refusal.by}: {refusal.reason}")
    return Verdict("pass", "admitted", f"{ref} may be served")


def _damage(registry: Registry, node: Node) -> Verdict | None:
    """Hash a version's bytes, fetched first where they are not here; None where they are sound."""
    try:
        registry.objects.check(node.digest)
    except Corrupt as error:
        return Verdict("fail", "digest_mismatch", f"the bytes of {node.ref} do not match its digest ({error})")
    except RegistryError as error:
        return Verdict("fail", "bytes_missing", f"{node.ref}: {error}")
    return None


def gates_refuse(workspace: Workspace, version: ModelVersion) -> str:
    """Return why the gates do not let a version pass; nothing where all of them hold.

    They are judged from the scores of the reports that are up to date: a verdict of before says nothing of an exam that
    changed, of a newer measure, or of a gate that was added.
    """
    try:
        verdicts = [verdict for _, verdict in judge_gates(workspace, version)]
    except Exception as error:
        return f"its gates cannot be judged: {error}"
    if not verdicts:
        return "no gate was judged"
    return next((verdict.reason for verdict in verdicts if not verdict.passed), "")


def admit(workspace: Workspace, node_id: int, by: str) -> Model:
    """Return a version's model where it is admitted; Refused, with an audit row, where it is not."""
    verdict = admission(workspace, node_id)
    registry = workspace.registry
    version = registry.models.version(node_id)
    if not verdict.passed:
        registry.audit.append("admission-refused", version.node.ref, by=by, detail={"code": verdict.code})
        raise Refused(verdict.reason, verdict.code)
    registry.audit.append("admitted", version.node.ref, by=by, detail={"digest": version.node.digest})
    return model_handle(registry, version.node)
