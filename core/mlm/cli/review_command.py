"""mlm review"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table


@click.command()
@json_option
def review(as_json: bool) -> None:
    """Review the problem statement: gaps, risks in named categories, expected return.

    Exit code 1 where a review finds an error, such as a requirement that nothing measures.
    """
    from mlm.reviewing import review_project

    findings = review_project(open_workspace())
    if as_json:
        print_json(findings)
    else:
        rows = [[f.severity, f.category, f.title, f.advice] for f in findings]
        table(["severity", "category", "finding", "advice"], rows, "Review of the problem statement")
    if any(f.severity == "error" for f in findings):
        raise SystemExit(1)
