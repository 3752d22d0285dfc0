"""mlm plan"""

from __future__ import annotations

import click

from mlm.cli.opening import json_option, open_workspace, print_json, table
from mlm.cli.recall_command import tell_of_recalls


@click.command()
@json_option
def plan(as_json: bool) -> None:
    """Show what a run would do, and what each requirement steers.

    `cached` steps are up to date, `run` steps would run now, `pending` ones wait for an input that is not made yet.
    """
    from mlm.checking import check_intent
    from mlm.contamination import training_findings
    from mlm.mistakes import Mistakes
    from mlm.plan import plan as plan_steps
    from mlm.standing import recalled_among
    from mlm.steering import direction_findings, steering
    from mlm.steps import check_step_files

    workspace = open_workspace()
    mistakes = Mistakes()
    mistakes.of(check_intent, workspace)
    sound = mistakes.of(lambda: workspace.steps) is not None
    if sound:
        mistakes.of(check_step_files, workspace.steps)
    rows = (mistakes.of(steering, workspace) if sound else None) or []
    mistakes.tell()
    steps = plan_steps(workspace.project, workspace.steps, workspace.registry)
    recalled = recalled_among(workspace.registry, [step.output for step in steps])
    outermost_first = workspace.policies[::-1]
    if as_json:
        wrapping = [policy.ref.identity for policy in outermost_first]
        print_json(
            {
                "steps": steps,
                "requirements": rows,
                "amendments": workspace.amendments,
                "policies": wrapping,
                "recalled": recalled,
            }
        )
        return
    lines = [[s.stage, s.name, s.plugin, s.status, s.output, ", ".join(s.needs)] for s in steps]
    table(["stage", "step", "plugin", "status", "output", "needs"], lines, "Steps")
    tell_of_recalls(recalled)
    watched = [
        [r.requirement.name, r.requirement.text, r.gate or "-", *[r.monitor or "-"] * 2, r.trigger or "-"] for r in rows
    ]
    table(
        ["requirement", "bound", "gate", "canary", "set-point", "trigger"], watched, "What each requirement steers", ""
    )
    for finding in [*direction_findings(workspace), *training_findings(workspace.steps)]:
        click.echo(f"{finding.severity.capitalize()}: {finding.title}: {finding.advice}")
    if workspace.amendments:
        amended = [
            [str(a.id), a.op, f"{a.key} {a.value}".strip(), a.target, a.by, a.reason] for a in workspace.amendments
        ]
        table(["id", "op", "what", "where", "by", "why"], amended, "Amendments that stand beside the file")
    if outermost_first:
        click.echo(f"Policies, the outermost first: {', '.join(policy.ref.identity for policy in outermost_first)}")
