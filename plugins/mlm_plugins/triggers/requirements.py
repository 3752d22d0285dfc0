"""Retires a version that broke a requirement, once another has taken its place."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

import mlm


@define(kw_only=True)
class BrokenRequirements:
    """Retires a version that broke a monitored requirement, as soon as a successor serves in its place."""

    by_requirements: ClassVar[bool] = True

    @mlm.hookimpl
    def mlm_assess(self, version: mlm.Living, context: mlm.Context) -> mlm.Verdict:
        judged = [signal for signal in version.signals if signal.verdict is not None]
        broken = [signal for signal in judged if signal.verdict and signal.verdict.outcome == "fail"]
        if not broken:
            known = f"{len(judged)} monitored requirements hold" if judged else "no requirement was monitored on it"
            return mlm.Verdict("pass", "requirements-hold", known)
        names = ", ".join(sorted({signal.metric for signal in broken}))
        evidence = {signal.metric: signal.measure.value for signal in broken}
        if version.share > 0 or version.successor is None or version.successor_share <= 0:
            reason = f"{names} broken: waits for a successor ({version.share:.0%} of the traffic is still its own)"
            return mlm.Verdict("inconclusive", "waits-for-successor", reason, evidence=evidence)
        reason = f"{names} broken, and {version.successor.node.ref} serves in its place"
        return mlm.Verdict("fail", "requirements-broken", reason, evidence=evidence)
