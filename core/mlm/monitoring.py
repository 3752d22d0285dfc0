"""Windows of exchanges, the signals that monitors read from them, and the verdicts of the requirements on those."""

from __future__ import annotations

import time
from collections.abc import Iterable

from attrs import evolve

from mlm.bindings import Binding
from mlm.calls import Plugin
from mlm.handles import handle
from mlm.intent import Signal, Window
from mlm.measures import Measure
from mlm.project import Table
from mlm.requirements import Requirement
from mlm.steering import monitor_metrics
from mlm.workspace import Workspace
from mlm_registry import SignalRow

CRASHED = "monitor-crashed"
"""Code of a verdict that cannot be given, because the monitor raised."""
LARGEST_WINDOW = 10_000
"""Exchanges that one window holds at most; the newest stay."""


def window(workspace: Workspace, deployment: str, *, since: float, node: int | None = None) -> Window:
    """Return the exchanges of a deployment since a time, of one model version where `node` is given."""
    asked = workspace.registry.exchanges
    exchanges = asked.find(deployment=deployment, since=since, node=node, limit=LARGEST_WINDOW)
    feedback = {exchange.id: given for exchange, given in asked.feedback_for(one.id for one in exchanges)}
    return Window(deployment, tuple(exchanges), feedback, node)


def measure(workspace: Workspace, view: Window, *, store: bool = True) -> list[Signal]:
    """Ask every monitor of the deployment, and judge each signal by the requirement on its metric.

    One that raises has measured nothing: its metrics have no value, and the verdicts on them have the code CRASHED.
    """
    signals = []
    for table in workspace.project.tables("monitoring"):
        if table.values.get("deployment", view.deployment) == view.deployment:
            signals += _measured(workspace, table, view)
    if store:
        workspace.registry.record_signals([_row(signal) for signal in signals])
    return signals


def _measured(workspace: Workspace, table: Table, view: Window) -> list[Signal]:
    crash = ""
    try:
        found = _monitor(workspace, table).measure(view, workspace.context(table.name))
    except Exception as error:
        crash = f"monitor '{table.name}' failed: {type(error).__name__}: {error}"
        workspace.report(crash)
        found = [Signal(Measure(name, None, 0, note=crash), "") for name in monitor_metrics(workspace, table)]
    own = [evolve(signal, deployment=view.deployment, node=view.node) for signal in found]
    signals = [verdict for signal in own for verdict in with_verdicts(workspace.project.requirements, signal)]
    return [_crashed(signal, crash) for signal in signals] if crash else signals


def _crashed(signal: Signal, crash: str) -> Signal:
    verdict = signal.verdict
    return signal if verdict is None else evolve(signal, verdict=evolve(verdict, code=CRASHED, reason=crash))


def _monitor(workspace: Workspace, table: Table) -> Plugin:
    values = {key: value for key, value in table.values.items() if key != "deployment"}
    binding = workspace.bind("monitors", values, f"monitoring.{table.name}")
    return workspace.configured(binding, latest_inputs(workspace, binding))


def latest_inputs(workspace: Workspace, binding: Binding) -> dict[str, object]:
    """Return the newest version of each step that an intent table names as input."""
    inputs: dict[str, object] = {}
    for port in binding.ports:
        if port.name in binding.names:
            step, _, split = str(binding.names[port.name]).partition("/")
            inputs[port.name] = handle(workspace.registry, workspace.registry.node(step), split or None)
    return inputs


def with_verdicts(requirements: Iterable[Requirement], signal: Signal) -> list[Signal]:
    """Return the signal once for each requirement on its metric, with its verdict; as it is where there is none."""
    m = signal.measure
    verdicts = [r.judge(m.value, m.low, m.high, by=r.name) for r in requirements if r.metric == m.metric]
    return [evolve(signal, verdict=verdict) for verdict in verdicts] or [signal]


def _row(signal: Signal) -> SignalRow:
    m = signal.measure
    return SignalRow(
        deployment=signal.deployment,
        metric=m.metric,
        value=m.value,
        node=signal.node,
        n=m.n,
        low=m.low,
        high=m.high,
        unit=m.unit,
        coverage=m.coverage,
        at=time.time(),
    )
