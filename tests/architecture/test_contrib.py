"""What lies in contrib: the template is what `mlm plugins new` writes, the table is what metadata says."""

from __future__ import annotations

import runpy
from pathlib import Path

from mlm.scaffold import write_distribution

ROOT = Path(__file__).parents[2]


def test_the_template_is_what_new_writes(tmp_path: Path) -> None:
    written = write_distribution("servers", "template", tmp_path / "template")

    for file in written:
        kept = ROOT / "contrib" / "_template" / file.relative_to(tmp_path / "template")
        assert kept.read_text(encoding="utf-8") == file.read_text(encoding="utf-8"), kept


def test_the_table_is_what_metadata_says() -> None:
    generator = runpy.run_path(str(ROOT / "docs" / "generate.py"))

    assert (ROOT / "contrib" / "README.md").read_text(encoding="utf-8") == generator["contrib"](), "run `make docs`"
