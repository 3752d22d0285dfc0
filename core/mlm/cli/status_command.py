"""mlm status"""

from __future__ import annotations

import click

from mlm.cli.opening import compact, json_option, measured, open_workspace, print_json, shown_unit, table, when
from mlm.cli.showing import one_line


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show model versions with state, gates and traffic, deployments, open proposals and the scores side by side."""
    from mlm.overview import overview

    view = overview(open_workspace())
    if as_json:
        print_json(view)
        return
    rows = [
        [
            v.ref,
            v.stage,
            v.state + (", recalled" if v.recalled else ""),
            ", ".join(v.aliases),
            f"{v.share:.0%}" if v.share else "",
            v.gates_text,
        ]
        for v in view.versions
    ]
    table(["version", "stage", "state", "aliases", "traffic", "gates"], rows, "Model versions", "none yet")
    if view.scores:
        models = list(dict.fromkeys(score.model for score in view.scores))
        keys = list(dict.fromkeys((score.step, score.metric) for score in view.scores))
        cells = {
            (s.step, s.metric, s.model): compact(s.value, s.low, s.high, s.unit) + ("*" if s.current is False else "")
            for s in view.scores
        }
        units = {(s.step, s.metric): shown_unit(s.unit) for s in view.scores}
        counts = {(s.step, s.metric): str(s.n) for s in view.scores}
        lines = [[*key, units[key], counts[key], *(cells.get((*key, model), "") for model in models)] for key in keys]
        table(["evaluation", "metric", "unit", "n", *models], lines, "Scores with their 95 % intervals")
        if any(score.current is False for score in view.scores):
            click.echo("* not up to date: its data, settings or code changed since, so no gate takes it (mlm run)")
    for d in view.deployments:
        arms = ", ".join(f"{arm['version']} {arm['share']:.0%}" for arm in d["arms"])
        click.echo(f"deployment {d['name']}: revision {d['revision']}, {arms}; {d['endpoint']}")
    for signal in view.signals:
        verdict = f"  {signal['verdict']}" if signal["verdict"] else ""
        told = measured(signal["value"], signal["low"], signal["high"], signal["unit"], signal["n"])
        share = signal["coverage"]
        coverage = f", coverage {measured(share, unit='share')}" if share is not None else ""
        click.echo(f"  {signal['metric']:<26}{told}{coverage}{verdict}")
    for p in view.proposals:
        click.echo(f"proposal {p.id} ({p.state}): {p.title}")
    if view.last_run:
        click.echo(f"last run {view.last_run['run']} at {when(view.last_run['started'])}: {view.last_run['steps']}")
        for step in view.last_run["failed"]:
            click.echo(one_line(f"  failed: {step['step']}: {step['error']}"))
