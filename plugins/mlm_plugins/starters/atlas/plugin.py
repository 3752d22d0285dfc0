"""The starter project."""

from __future__ import annotations

from pathlib import Path

from attrs import define

import mlm

HERE = Path(__file__).parent
TEMPLATES = ("mlm.toml", "life.sh", "README.md")


@define(kw_only=True)
class Atlas:
    """Writes pocket-atlas: an assistant for an invented country, with data as messy as real data."""

    @mlm.hookimpl
    def mlm_start(self, folder: Path, seed: int) -> None:
        from mlm_plugins.starters.atlas.files import write_data

        for name in TEMPLATES:
            text = (HERE / name).read_text(encoding="utf-8").replace("{seed}", str(seed))
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "life.sh").chmod(0o755)
        (folder / ".gitignore").write_text(".mlm/\nreport.html\n", encoding="utf-8")
        write_data(folder, seed)
