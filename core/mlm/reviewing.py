"""The review of a problem statement: what the project's reviews find, and what its requirements lack."""

from __future__ import annotations

from mlm.checking import check_intent
from mlm.contamination import contamination_findings, training_findings
from mlm.errors import ProjectError
from mlm.problem import Finding
from mlm.steering import direction_findings, steering, steering_findings
from mlm.workspace import Workspace

_ORDER = {"error": 0, "gap": 1, "risk": 2, "note": 3}


def review_project(workspace: Workspace) -> list[Finding]:
    """Ask every review in file order, and add what the requirements cannot steer; the gravest come first."""
    findings = _of_requirements(workspace)
    for spec in workspace.project.governance.reviews:
        plugin = workspace.plugin("reviews", spec, "governance.reviews")
        findings += plugin.review(workspace.project.problem, workspace.context(plugin.ref.name))
    return sorted(findings, key=lambda finding: _ORDER[finding.severity])


def _of_requirements(workspace: Workspace) -> list[Finding]:
    try:
        check_intent(workspace)
        holes = steering_findings(steering(workspace))
        steps = workspace.steps
        return [
            *holes,
            *direction_findings(workspace),
            *contamination_findings(steps),
            *training_findings(steps),
        ]
    except ProjectError as error:
        advice = "mend mlm.toml: a run refuses to start"
        return [Finding("requirement", line, "error", advice=advice) for line in str(error).splitlines()]
