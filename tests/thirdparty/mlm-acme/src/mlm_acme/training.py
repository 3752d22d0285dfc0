"""A trainer without weights."""

import json

from attrs import define

import mlm


@define(kw_only=True)
class Memorize:
    """Learns prompts and completions by heart."""

    most: int = mlm.setting(1000, help="most rows", unit="rows")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        known = {}
        for number, row in enumerate(data.rows()):
            if number < self.most:
                known[row["prompt"]] = row["completion"]
                context.progress(number, data.num_rows)
        (context.folder / "memory.json").write_text(json.dumps(known))
        return mlm.Model(context.folder, "acme")
