"""mlm schema"""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print it.")
def schema(output: Path | None) -> None:
    """Write the JSON Schema of mlm.toml, with the plugins that are installed: an editor completes and checks by it.

    Editors with TOML support take the first line `#:schema ./mlm.schema.json`.
    """
    from mlm.cli.opening import catalogue_here
    from mlm.editor_schema import project_schema

    text = json.dumps(project_schema(catalogue_here()), indent=1, ensure_ascii=False)
    if output is None:
        click.echo(text)
        return
    output.write_text(text + "\n", encoding="utf-8")
    click.echo(f"wrote {output}; the first line of mlm.toml names it: #:schema ./{output.name}")
