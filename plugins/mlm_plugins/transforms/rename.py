"""Other names for columns."""

from __future__ import annotations

from attrs import define
from attrs.validators import deep_mapping, in_, instance_of, min_len, not_

import mlm
from mlm.batches import TEXT_COLUMNS
from mlm.people import SUBJECT_COLUMNS
from mlm_plugins.transforms.reading import known


@define(kw_only=True)
class Rename:
    """Gives columns other names: those that transforms and trainers know, such as `text`.

    A column that says whom a row is about (`subject`, `user`, `user_id`) stays beside its new name, so that `mlm erase`
    finds the person; not where it becomes text, or another of these.
    """

    columns: dict[str, str] = mlm.setting(
        validator=[min_len(1), deep_mapping(not_(in_(("row_id", "source"))), instance_of(str))],
        help='new name by old name: { content = "text" }',
    )

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        import pyarrow as pa

        known(batch, list(self.columns), context.step)
        table, known_by = batch.table, (*SUBJECT_COLUMNS, *TEXT_COLUMNS)
        kept = [name for name, new in self.columns.items() if name in SUBJECT_COLUMNS and new not in known_by]
        names = [*(self.columns.get(name, name) for name in table.column_names), *kept]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise mlm.ProjectError(f"two columns would be named '{twice}' (columns: {', '.join(names)})", context.step)
        return mlm.Batch(pa.table([*table.columns, *map(table.column, kept)], names=names))
