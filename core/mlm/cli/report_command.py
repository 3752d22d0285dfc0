"""mlm report"""

from __future__ import annotations

from pathlib import Path

import click

from mlm.cli.opening import open_workspace


@click.command()
@click.argument("run", required=False)
@click.option(
    "--output", "-o", default="report.html", show_default=True, type=click.Path(dir_okay=False, path_type=Path)
)
def report(run: str | None, output: Path) -> None:
    """Write one self-contained HTML page: stages, gates with intervals, loss curves, lineage, traffic, audit.

    RUN narrows the steps and curves to one run; without it, the page shows the newest execution of each step.
    """
    from mlm.pages.life import run_page
    from mlm.writing import write_text

    write_text(output, run_page(open_workspace(), run))
    click.echo(f"wrote {output}")
