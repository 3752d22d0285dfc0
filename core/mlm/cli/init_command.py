"""mlm init"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("starter")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--seed", default=1, show_default=True, help="Seed of the starter's data and training.")
def init(starter: str, folder: Path | None, seed: int) -> None:
    """Write the starter project STARTER into FOLDER (default: ./STARTER).

    FOLDER must be new or empty. Nothing is half-written: the project appears when it is complete.
    """
    import shutil
    import tempfile

    from mlm.calls import Plugin
    from mlm.cli.opening import warn
    from mlm.errors import ProjectError
    from mlm.plugins import Catalogue
    from mlm.project import FILE

    catalogue = Catalogue.discover(report=warn)
    ref = catalogue.find("starters", starter)
    target = (folder or Path(starter)).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ProjectError(f"{target} is there and is not empty: choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".mlm-init-") as place:
        made = Path(place) / "project"
        made.mkdir()
        Plugin(ref, catalogue.load(ref)()).start(made, seed)
        if target.exists():
            # The folder stays, since somebody may stand in it; the project file comes last.
            for entry in sorted(made.iterdir(), key=lambda path: path.name == FILE):
                shutil.move(entry, target / entry.name)
        else:
            shutil.move(made, target)
    click.echo(f"wrote the starter project '{starter}' (seed {seed}) into {folder or starter}")
    click.echo(f"next: cd {folder or starter} && mlm review && mlm plan && mlm run")
