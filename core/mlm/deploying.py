"""Deployments: which version should serve, how traffic moves to it, and what the endpoint says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve, frozen

from mlm.actions import Action
from mlm.calls import Plugin
from mlm.gates import admission
from mlm.intent import Desired, Observed, Window
from mlm.monitoring import CRASHED, measure, window
from mlm.project import Table
from mlm.serving import Rollout, Stage
from mlm.standing import recalled_upstream
from mlm.verdicts import Outcome
from mlm.workspace import Workspace
from mlm_registry import Arm, Deployment, Exchange, Judgement, ModelVersion

OWN_KEYS = ("model", "server", "guards", "postprocessors", "rollout", "alias")
"""Keys of a `[deployment.<name>]` table that are not settings of its target."""


@frozen
class Endpoint:
    """A `[deployment.<name>]` table, read."""

    name: str
    model: str
    alias: str
    server: Any
    table: Table

    @classmethod
    def of(cls, table: Table) -> Endpoint:
        values = table.values
        return cls(
            table.name, str(values.get("model")), str(values.get("alias", "production")), values.get("server"), table
        )


def target(workspace: Workspace, endpoint: Endpoint) -> Plugin:
    """Return the target plugin of a deployment."""
    values = {key: value for key, value in endpoint.table.values.items() if key not in OWN_KEYS}
    return workspace.plugin("targets", values, f"deployment.{endpoint.name}")


def rollout(workspace: Workspace, endpoint: Endpoint) -> Rollout | None:
    """Return the deployment's rollout, or None where traffic moves at once."""
    spec = endpoint.table.values.get("rollout")
    if spec is None:
        return None
    plugin = workspace.plugin("rollouts", spec, f"deployment.{endpoint.name}.rollout")
    return plugin.rollout(workspace.context(endpoint.name))


def desired(workspace: Workspace, endpoint: Endpoint, current: Deployment, *, whole: bool = False) -> Desired:
    """Return what the target should bring about; `whole` asks the guards and postprocessors for their objects."""
    where = f"deployment.{endpoint.name}"
    values, context = endpoint.table.values, workspace.context(endpoint.name)
    guards = values.get("guards", []) if whole else []
    posts = values.get("postprocessors", []) if whole else []
    return Desired(
        deployment=endpoint.name,
        revision=current.revision,
        arms=current.arms,
        registry=workspace.registry.folder,
        server=str(endpoint.server or ""),
        guards=tuple(workspace.plugin("guards", spec, f"{where}.guards").guard(context) for spec in guards),
        postprocessors=tuple(
            workspace.plugin("postprocessors", spec, f"{where}.postprocessors").postprocess(context) for spec in posts
        ),
        rollout=rollout(workspace, endpoint) if whole else None,
    )


def observe(workspace: Workspace, endpoint: Endpoint, current: Deployment) -> Observed:
    """Ask the target to come closer to what is desired, and what it serves now."""
    context = workspace.context(endpoint.name)
    return target(workspace, endpoint).apply(desired(workspace, endpoint, current), context)


def wanted(workspace: Workspace, endpoint: Endpoint) -> ModelVersion | None:
    """Return the version that the deployment's alias points at."""
    alias = workspace.registry.models.alias(endpoint.alias)
    return workspace.registry.models.version(alias.node) if alias else None


def move_traffic(workspace: Workspace, endpoint: Endpoint, by: str) -> Action | None:
    """Make the next move towards the alias's version, or say what it waits for; None where it serves everything."""
    version = wanted(workspace, endpoint)
    if version is None:
        return None
    node = version.node.id
    current = workspace.registry.deployments.current(endpoint.name)
    if current and current.arms == (Arm(node, 1.0),):
        return None
    if version.node.name != endpoint.model:
        text = f"{endpoint.alias} points at {version.node.ref}, and '{endpoint.name}' serves {endpoint.model}"
        return Action("deploy", endpoint.name, f"{text}: mlm promote {endpoint.model}", waiting=True)
    stable = _incumbent(workspace, endpoint)
    move = _Move(workspace, endpoint, by, version, current)
    verdict = admission(workspace, node)
    if not verdict.passed:
        if stable not in (None, node) and current and node in {arm.node for arm in current.arms}:
            return move.back_to(stable, verdict.reason)
        return Action("deploy", endpoint.name, f"not admitted: {verdict.reason}", waiting=True)
    if stable is None and (emptied := _emptied(workspace, endpoint, current)):
        advice = f"mlm promote {version.node.ref} --to {endpoint.alias} gives it all traffic"
        text = f"nothing serves since {emptied}; {version.node.ref} has not served alone yet ({advice})"
        return Action("deploy", endpoint.name, text, waiting=True)
    strategy = rollout(workspace, endpoint)
    if stable in (None, node) or strategy is None:
        return move.to((Arm(node, 1.0),), f"{version.node.ref} takes all traffic")
    if current is None or node not in {arm.node for arm in current.arms}:
        share = strategy.first_share
        arms = (Arm(stable, round(1 - share, 6)), Arm(node, share))
        return move.to(arms, f"canary of {version.node.ref} starts at {share:.0%}")
    return _judge(move, current, stable, strategy)


def _incumbent(workspace: Workspace, endpoint: Endpoint) -> int | None:
    """Return the version that last served everything: the one that a canary is compared with, and falls back to.

    One that was retired or recalled since is none.
    """
    registry = workspace.registry
    served = [r.arms[0].node for r in registry.deployments.history(endpoint.name) if len(r.arms) == 1]
    approved = {v.node.id for v in registry.models.versions(endpoint.model) if v.state == "approved"}
    return next((node for node in served if node in approved and not recalled_upstream(registry, node)), None)


def _emptied(workspace: Workspace, endpoint: Endpoint, current: Deployment | None) -> str:
    """Return what took the deployment out of service, where nobody has moved its alias since; else nothing."""
    alias = workspace.registry.models.alias(endpoint.alias)
    if current is None or current.arms or alias is None or alias.at > current.at:
        return ""
    return current.reason


@frozen
class _Move:
    """A move of traffic, with what it was judged on: a version that an alias points at, and the shares of now.

    To judge takes time. A move that finds another alias, other shares or a recall when it is written is given up.
    """

    workspace: Workspace
    endpoint: Endpoint
    by: str
    version: ModelVersion
    current: Deployment | None

    def to(self, arms: tuple[Arm, ...], reason: str, *, judged: str = "") -> Action:
        """Give the arms their shares; `judged` says why the canary passed."""
        registry = self.workspace.registry
        with registry.transaction(durable=True):
            if not self._alias_stands() or not self._may_serve(arms):
                return self._given_up()
            if judged:
                self._remember("pass", "advanced", judged)
            registry.deployments.desire(self.endpoint.name, arms, by=self.by, reason=reason)
        return Action("deploy", self.endpoint.name, reason)

    def back_to(self, stable: int, reason: str) -> Action:
        """Give all traffic back to the stable version, and the alias if it still points at the one that failed."""
        registry = self.workspace.registry
        arms = (Arm(stable, 1.0),)
        text = f"canary of {self.version.node.ref} rolled back: {reason}"
        with registry.transaction(durable=True):
            self._remember("fail", "rolled-back", reason)
            if not self._may_serve(arms):
                return self._given_up()
            if self._alias_stands():
                registry.models.move_alias(self.endpoint.alias, stable, by=self.by, reason=text)
            registry.deployments.desire(self.endpoint.name, arms, by=self.by, reason=text)
        return Action("rollback", self.endpoint.name, text)

    def _alias_stands(self) -> bool:
        alias = self.workspace.registry.models.alias(self.endpoint.alias)
        return alias is not None and alias.node == self.version.node.id

    def _may_serve(self, arms: tuple[Arm, ...]) -> bool:
        """Say whether the shares are what was judged, and the arms are not retired or recalled since."""
        registry = self.workspace.registry
        if registry.deployments.current(self.endpoint.name) != self.current:
            return False
        return all(
            registry.models.version(arm.node).state == "approved" and not recalled_upstream(registry, arm.node)
            for arm in arms
        )

    def _given_up(self) -> Action:
        text = f"{self.version.node.ref}, its alias or the traffic was changed meanwhile: the next look decides anew"
        return Action("deploy", self.endpoint.name, text, waiting=True)

    def _remember(self, outcome: Outcome, code: str, reason: str) -> None:
        self.workspace.registry.judge(
            Judgement(
                subject=self.version.node.digest,
                kind="canary",
                by="rollout",
                outcome=outcome,
                code=code,
                reason=reason,
                requirements=self.workspace.requirements_digest,
            )
        )


def _routed(workspace: Workspace, endpoint: Endpoint, current: Deployment, node: int) -> Window:
    """Return what was routed to a version since the present shares began, and not what asked for it by its name."""
    view = window(workspace, endpoint.name, since=current.at, node=node)
    ref = workspace.registry.node(node).ref
    return _of(view, (one for one in view.exchanges if one.request.get("model") != ref))


def _looked_at(strategy: Rollout, view: Window) -> Window:
    """Return the first exchanges of the candidate's traffic, up to as many requests as the rollout judges."""
    judgeable = [one for one in view.exchanges if _says_something(one)]
    count = strategy.judged(len(judgeable)) if hasattr(strategy, "judged") else len(judgeable)
    if count >= len(judgeable):
        return view
    last = view.exchanges.index(judgeable[count])
    return _of(view, view.exchanges[:last])


def _of(view: Window, exchanges: Iterable[Exchange]) -> Window:
    kept = tuple(exchanges)
    return evolve(view, exchanges=kept, feedback={e.id: view.feedback[e.id] for e in kept if e.id in view.feedback})


def _says_something(exchange: Exchange) -> bool:
    """Say whether a request says something of the version: what the client got wrong does not."""
    return exchange.outcome != "mistaken"


def _judge(move: _Move, current: Deployment, stable: int, strategy: Rollout) -> Action:
    workspace, endpoint, node, ref = move.workspace, move.endpoint, move.version.node.id, move.version.node.ref
    views = {arm.node: _routed(workspace, endpoint, current, arm.node) for arm in current.arms}
    views[node] = _looked_at(strategy, views[node])
    verdicts = tuple(s.verdict for s in measure(workspace, views[node]) if s.verdict)
    requests = {arm: sum(map(_says_something, view.exchanges)) for arm, view in views.items()}
    share = next(arm.share for arm in current.arms if arm.node == node)
    due = strategy.judge(Stage(stable, node, share, requests, verdicts))
    crashes = {verdict.reason for verdict in verdicts if verdict.code == CRASHED}
    if crashes and due.action != "rollback":
        due = evolve(due, action="hold", reason="; ".join(sorted(crashes)))
    if due.action == "hold":
        return Action("canary", endpoint.name, f"{ref} at {share:.0%}: {due.reason}", waiting=True)
    if due.action == "rollback":
        return move.back_to(stable, due.reason)
    if due.share >= 1:
        return move.to((Arm(node, 1.0),), f"{ref} takes all traffic: {due.reason}", judged=due.reason)
    arms = (Arm(stable, round(1 - due.share, 6)), Arm(node, due.share))
    return move.to(arms, f"canary of {ref} moves to {due.share:.0%}: {due.reason}", judged=due.reason)
