"""Retires a version whose successor has taken over."""

from __future__ import annotations

from attrs import define

import mlm
from mlm_registry import ModelVersion


@define(kw_only=True)
class Superseded:
    """Retires a version when a newer one of the same name serves all traffic and it serves none."""

    @mlm.hookimpl
    def mlm_assess(self, version: mlm.Living, context: mlm.Context) -> mlm.Verdict:
        successor = version.successor
        if successor is None or not _newer(successor, version):
            return mlm.Verdict("pass", "no-successor", "no newer version of it is deployed")
        ours, theirs = version.version.node.ref, successor.node.ref
        evidence = {"share": version.share, "successor": theirs, "successor_share": version.successor_share}
        if version.share == 0 and version.successor_share >= 1:
            reason = f"{theirs} serves all traffic and {ours} none"
            return mlm.Verdict("fail", "superseded", reason, evidence=evidence)
        reason = f"{ours} serves {version.share:.0%} and {theirs} {version.successor_share:.0%} of the traffic"
        return mlm.Verdict("pass", "still-serving", reason, evidence=evidence)


def _newer(successor: ModelVersion, version: mlm.Living) -> bool:
    ours, theirs = version.version.node, successor.node
    return theirs.name == ours.name and theirs.version > ours.version
