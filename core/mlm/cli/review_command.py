"""mlm review"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table, warn


@click.command()
@json_option
def review(as_json: bool) -> None:
    """Review the problem statement: gaps, risks in named categories, expected return.

    Exit code 1 where a review finds an error, such as a requirement that nothing measures.
    """
    from mlm.reviewing import review_project

    workspace = open_workspace()
    findings = review_project(workspace)
    asked = bool(workspace.project.governance.reviews)
    if not asked:
        installed = ", ".join(sorted(ref.name for ref in workspace.catalogue.of_kind("reviews"))) or "none"
        warn(
            "nobody reviews the problem statement, only its requirements were looked at: name a review in mlm.toml,"
            f' [governance] reviews = ["..."] (installed: {installed})'
        )
    if as_json:
        print_json(findings)
    else:
        rows = [[f.severity, f.category, f.title, f.advice] for f in findings]
        title = "Review of the problem statement" if asked else "Review of the requirements"
        table(["severity", "category", "finding", "advice"], rows, title)
    if any(f.severity == "error" for f in findings):
        raise SystemExit(1)
