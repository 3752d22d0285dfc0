"""One page of a whole life: from the problem statement to the audit log."""

from __future__ import annotations

import time

from mlm.pages import judging, living, working
from mlm.pages.html import Html, joined, page, tag
from mlm.pages.quantities import moment, quantity
from mlm.pages.stages import strip
from mlm.pages.view import View, view
from mlm.workspace import Workspace


def run_page(workspace: Workspace, run: str | None = None) -> str:
    """Write the page of a project; `run` narrows the steps and curves to one run.

    Raises MlmError where there is no such run.
    """
    seen = view(workspace, run)
    name = seen.project.problem.name
    return page(
        f"{name}: the life of a model",
        _header(seen),
        strip(seen),
        judging.requirements(seen),
        judging.scores(seen),
        living.versions(seen),
        living.deployments(seen),
        living.signals(seen),
        living.improvements(seen),
        working.lineage(seen),
        working.funnels(seen),
        working.curves(seen),
        working.steps(seen),
        living.audit(seen),
    )


def _header(seen: View) -> Html:
    problem = seen.project.problem
    facts = [
        ("Task", problem.task),
        ("Owner", problem.owner),
        ("Risk tier", problem.risk_tier),
        ("Licence", problem.license),
        ("Value a request", quantity(problem.value_per_request_usd, "USD") if problem.value_per_request_usd else ""),
        ("Must not help with", ", ".join(problem.abuse)),
        ("Constraints", ", ".join(problem.constraints)),
        ("Seed", str(seen.project.seed)),
    ]
    told = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts if value]
    what = f"Run {seen.run}" if seen.run else "Project report"
    return joined(
        [
            tag("p", f"{what} · {moment(time.time())} UTC", class_="eyebrow"),
            tag("h1", problem.name),
            tag("p", problem.purpose, class_="lead"),
            tag("dl", *told, class_="facts"),
        ]
    )
