"""Answers each prompt with the prompt."""

from pathlib import Path

import mlm
from mlm.testing import ServerConformance

from mlm_template.plugin import TemplateServer


class TestTemplateServer(ServerConformance):
    plugin = TemplateServer

    def model(self, folder: Path) -> mlm.Model:
        (folder / "weights.json").write_text("{}", encoding="utf-8")
        return mlm.Model(folder, "weights")
