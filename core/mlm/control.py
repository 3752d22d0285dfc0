"""The control loop: observe, plan, apply, until nothing is left to do.

It compares what the project wants with what the registry and the endpoints say. It ends `done`, or `waiting` for
somebody's approval, for traffic, or for an endpoint.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from mlm.actions import Action
from mlm.checking import check_intent
from mlm.deploying import Endpoint, move_traffic, observe
from mlm.errors import MlmError, Refused
from mlm.gates import gates_refuse, judge, promote
from mlm.improving import approve, pending, propose, settle
from mlm.intent import Signal
from mlm.locking import locked
from mlm.monitoring import CRASHED, measure, window
from mlm.plan import plan
from mlm.results import RunResult, Watcher
from mlm.retiring import due_verdict, living_versions, retire_due
from mlm.runner import run
from mlm.verdicts import all_of
from mlm.workspace import Workspace
from mlm_registry import Deployment, ModelVersion

MOST_ROUNDS = 20
"""More rounds than any life needs; a loop that does not settle is a defect and is said."""


@define
class Reconciliation:
    """What one reconciliation did, and what it waits for."""

    actions: list[Action] = field(factory=list)
    waiting: list[Action] = field(factory=list)
    runs: list[RunResult] = field(factory=list)

    @property
    def state(self) -> str:
        return "waiting" if self.waiting else "done"


@define
class Controller:
    """Reconciles a project with its living system."""

    workspace: Workspace
    by: str
    approving: bool = False
    """Whether this call may approve proposals and promotions in the name of `by`."""
    watcher: Watcher = field(factory=Watcher)
    heard: Callable[[Action], None] = lambda action: None

    def reconcile(self) -> Reconciliation:
        """Apply what is due until a round changes nothing; ProjectError before anything is done."""
        check_intent(self.workspace)
        with locked(self.workspace.project.registry / "reconcile.lock", "another reconciliation is at work"):
            return self._settle()

    def _settle(self) -> Reconciliation:
        total = Reconciliation()
        for _ in range(MOST_ROUNDS):
            actions = self._round(total)
            total.waiting = [action for action in actions if action.waiting]
            done = [action for action in actions if not action.waiting]
            total.actions += done
            if not done:
                return total
        raise MlmError(f"reconcile did not settle in {MOST_ROUNDS} rounds; the last actions were: {total.actions[-3:]}")

    def _round(self, total: Reconciliation) -> list[Action]:
        actions: list[Action] = []
        for table in self.workspace.project.tables("deployment"):
            endpoint = Endpoint.of(table)
            for stage in (self._proposals, self._runs, self._promotion, self._traffic, self._monitor, self._retire):
                found = stage(endpoint, total)
                for action in found:
                    if not action.waiting:
                        self.heard(action)
                actions += found
        return actions

    def _proposals(self, endpoint: Endpoint, total: Reconciliation) -> list[Action]:
        actions = []
        for proposal in self.workspace.registry.improvements.proposals("open"):
            if proposal.deployment != endpoint.name:
                continue
            if not self.approving:
                text = f"approval of proposal {proposal.id}: {proposal.title} (mlm reconcile --yes)"
                actions.append(Action("approve", endpoint.name, text, waiting=True))
                continue
            amendments = approve(self.workspace, proposal, self.by, "approved in mlm reconcile")
            changes = ", ".join(f"{a.op} {a.value} to {a.target}" for a in amendments)
            actions.append(
                Action("approve", endpoint.name, f"proposal {proposal.id} is approved by {self.by}: {changes}")
            )
        return actions

    def _runs(self, endpoint: Endpoint, total: Reconciliation) -> list[Action]:
        """Run the steps that an approved proposal made stale; what the file made stale waits for `mlm run`."""
        stale = [
            s.name
            for s in plan(self.workspace.project, self.workspace.steps, self.workspace.registry)
            if s.status != "cached"
        ]
        if not stale:
            return []
        if blocked := _blocked(endpoint, total.runs):
            return [blocked]
        if not self.workspace.registry.improvements.proposals("approved"):
            return [Action("run", endpoint.name, f"mlm run: {len(stale)} steps are not up to date", waiting=True)]
        result = run(self.workspace, self.watcher)
        total.runs.append(result)
        if blocked := _blocked(endpoint, [result]):
            return [blocked]
        ran = [step.output for step in result.steps if step.status == "ran"]
        return [Action("run", endpoint.name, f"run {result.run} made {', '.join(ran)}")]

    def _promotion(self, endpoint: Endpoint, total: Reconciliation) -> list[Action]:
        candidate = self._candidate(endpoint)
        if candidate is None:
            return self._disappointments(endpoint)
        ref = candidate.node.ref
        verdict = all_of(judge(self.workspace, candidate))
        if not verdict.passed:
            return [Action("promote", ref, f"{ref} cannot be promoted: {verdict.reason}", waiting=True)]
        if not self.approving:
            text = f"approval of {ref}: all gates pass (mlm promote {ref} --to {endpoint.alias})"
            return [Action("promote", ref, text, waiting=True)]
        try:
            promote(self.workspace, ref, endpoint.alias, by=self.by, reason="all gates pass")
        except Refused as refusal:
            return [Action("promote", ref, str(refusal), waiting=True)]
        return [Action("promote", ref, f"{ref} is promoted to {endpoint.alias} by {self.by}: all gates pass")]

    def _candidate(self, endpoint: Endpoint) -> ModelVersion | None:
        """Return the newest version of the deployed step, where it is newer than any that the alias pointed at.

        A version that somebody moved the alias away from is not promoted again by itself.
        """
        versions = self.workspace.registry.models.versions(endpoint.model)
        if not versions:
            return None
        newest = versions[0]
        known = {move.node for move in self.workspace.registry.models.history(endpoint.alias)}
        seen = max((v.node.version for v in versions if v.node.id in known), default=0)
        if newest.node.version <= seen or newest.state == "retired" or newest.recalled:
            return None
        return None if self._rolled_back(newest) else newest

    def _disappointments(self, endpoint: Endpoint) -> list[Action]:
        """Say of approved proposals that their version failed its canary: a person decides how to go on."""
        registry = self.workspace.registry
        versions = registry.models.versions(endpoint.model)
        approved = [p for p in registry.improvements.proposals("approved") if p.deployment == endpoint.name]
        if not versions or not approved or not self._rolled_back(versions[0]):
            return []
        amendments = {a.proposal: a.id for a in self.workspace.amendments}
        return [
            Action(
                "improve",
                endpoint.name,
                f"proposal {p.id} did not hold: {versions[0].node.ref} failed its canary "
                f"(mlm reconcile --revoke {amendments.get(p.id, 0)})",
                waiting=True,
            )
            for p in approved
        ]

    def _rolled_back(self, version: ModelVersion) -> bool:
        canaries = self.workspace.registry.judgements(subject=version.node.digest, kind="canary", latest=True)
        return any(c.outcome == "fail" for c in canaries)

    def _traffic(self, endpoint: Endpoint, total: Reconciliation) -> list[Action]:
        action = move_traffic(self.workspace, endpoint, self.by)
        current = self.workspace.registry.deployments.current(endpoint.name)
        if current is None:
            return [action] if action else []
        observed = observe(self.workspace, endpoint, current)
        actions = [action] if action else self._doubts(endpoint, current)
        if not observed.ready:
            actions.append(Action("observe", endpoint.name, observed.detail, waiting=True))
        return actions

    def _doubts(self, endpoint: Endpoint, current: Deployment) -> list[Action]:
        """Say what serves everything and no server would load again, because a gate does not hold any more."""
        served = [self.workspace.registry.models.version(arm.node) for arm in current.arms]
        text = "serves, and no server would load it again"
        return [
            Action("attention", endpoint.name, f"{version.node.ref} {text}: {reason}", waiting=True)
            for version in served
            if (reason := gates_refuse(self.workspace, version))
        ]

    def _monitor(self, endpoint: Endpoint, total: Reconciliation) -> list[Action]:
        """Watch the version that serves everything, and ask for improvement where a set-point is broken."""
        registry = self.workspace.registry
        current = registry.deployments.current(endpoint.name)
        if current is None or len(current.arms) != 1:
            return []
        node = current.arms[0].node
        settled = settle(self.workspace, endpoint.model, node)
        view = window(self.workspace, endpoint.name, since=current.at, node=node)
        if not view.exchanges:
            return settled
        signals = measure(self.workspace, view)
        proposed = propose(self.workspace, endpoint.name, signals, view)
        return settled + ([proposed] if proposed else self._attention(endpoint, signals))

    def _attention(self, endpoint: Endpoint, signals: list[Signal]) -> list[Action]:
        """Say which monitors failed, and what is broken on live traffic and nothing is under way to mend."""
        crashes = sorted({s.verdict.reason for s in signals if s.verdict and s.verdict.code == CRASHED})
        failed = [Action("attention", endpoint.name, crash, waiting=True) for crash in crashes]
        if pending(self.workspace.registry, endpoint.name):
            return failed
        broken = [s.verdict.reason for s in signals if s.verdict and s.verdict.outcome == "fail"]
        text = "is broken on live traffic, and no improver has anything to propose"
        return failed + [Action("attention", endpoint.name, f"{reason} {text}", waiting=True) for reason in broken]

    def _retire(self, endpoint: Endpoint, total: Reconciliation) -> list[Action]:
        try:
            self.workspace.allowed("retire", self.by)
        except MlmError as error:
            return [Action("retire", endpoint.model, str(error), waiting=True)] if self._due(endpoint) else []
        return retire_due(self.workspace, endpoint.model, self.by)

    def _due(self, endpoint: Endpoint) -> bool:
        return any(due_verdict(self.workspace, version) for version in living_versions(self.workspace, endpoint.model))


def _blocked(endpoint: Endpoint, runs: list[RunResult]) -> Action | None:
    """Return what the runs of this reconciliation stand still at: a failure, else a step that waits for people."""
    for step in [step for result in runs for step in (*result.failed, *result.waiting)]:
        failed = step.status == "failed"
        text = f"{step.name} {'failed' if failed else 'waits'}: {step.error}"
        return Action("run", endpoint.name, text, waiting=True, failed=failed)
    return None
