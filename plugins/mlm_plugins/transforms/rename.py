"""Other names for columns."""

from __future__ import annotations

from attrs import define
from attrs.validators import deep_mapping, in_, instance_of, min_len, not_

import mlm
from mlm_plugins.transforms.reading import known


@define(kw_only=True)
class Rename:
    """Gives columns other names: those that transforms and trainers know, such as `text`."""

    columns: dict[str, str] = mlm.setting(
        validator=[min_len(1), deep_mapping(not_(in_(("row_id", "source"))), instance_of(str))],
        help='new name by old name: { content = "text" }',
    )

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        known(batch, list(self.columns), context.step)
        names = [self.columns.get(name, name) for name in batch.table.column_names]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise mlm.ProjectError(f"two columns would be named '{twice}' (columns: {', '.join(names)})", context.step)
        return mlm.Batch(batch.table.rename_columns(names))
