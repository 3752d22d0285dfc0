"""Runs the benchmarks, prints a table and writes build/bench.json."""

from __future__ import annotations

import json
import os
import tempfile
import time
from importlib import import_module
from pathlib import Path

import click
from tests.benchmarks import peers
from tests.benchmarks.measuring import BENCHMARKS, Result, Size

SUBJECTS = (
    "recording", "closure", "impact", "hashing", "unchanged_tree", "starting", "other_systems", "citing",
    "reading", "curating", "corpora", "quality", "classifying", "languages",
    "near_duplicates", "personal_data", "finetuning", "decoding", "streaming",
)  # fmt: skip
"""Modules of this package, in the order of the table."""
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
}
OUT = Path("build/bench.json")


@click.command()
@click.option("--only", multiple=True, help="Run only this benchmark; may be given several times.")
@click.option("--quick", is_flag=True, help="Small sizes, two rounds: whether it works, not how fast it is.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=OUT, show_default=True)
def main(only: tuple[str, ...], quick: bool, out: Path) -> None:
    """Measure each speed beside its peer.

    ratio = ours / peer, the median over the rounds. A goal with <= is a cost (lower is better), one with >= a rate.
    """
    os.environ.update(ENVIRONMENT)
    for subject in SUBJECTS:
        import_module(f"tests.benchmarks.{subject}")
    keys = [benchmark.key for benchmark in BENCHMARKS]
    for key in only:
        if key not in keys:
            raise click.UsageError(f"no benchmark is named '{key}' (benchmarks: {', '.join(keys)})")
    chosen = [benchmark for benchmark in BENCHMARKS if not only or benchmark.key in only]
    left_out = [] if peers.are_here() else [benchmark.key for benchmark in chosen if benchmark.needs_peers]
    if left_out:
        click.echo(f"left out, for not all other systems are installed (`make peers`): {', '.join(left_out)}", err=True)
    started, results = time.monotonic(), []
    for benchmark in chosen:
        if benchmark.key in left_out:
            continue
        with tempfile.TemporaryDirectory() as folder:
            results.append(benchmark.run(Size(Path(folder), quick)))
        click.echo(f"{time.monotonic() - started:6.1f} s  {benchmark.key}", err=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps([result.row() for result in results], indent=1) + "\n", encoding="utf-8")
    show(results)


def show(results: list[Result]) -> None:
    """Print the table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    title = "ratio = ours / peer; goal <= : a cost, lower is better; goal >= : a rate, higher is better"
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False)
    for column, justify in (
        ("what, unit", "left"), ("ours", "right"), ("peer", "right"), ("ratio", "right"), ("goal", "left"),
        ("", "left"), ("peer is", "left"),
    ):  # fmt: skip
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for r in results:
        mark = "ok" if r.ok else "MISSED"
        table.add_row(r.name, f"{r.ours:.4g}", f"{r.peer:.4g}", f"{r.ratio:.2f}", r.goal, mark, r.peer_name)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    console.print(table)


if __name__ == "__main__":
    main()
