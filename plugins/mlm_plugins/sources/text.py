"""Plain text, one row a line."""

from __future__ import annotations

from pathlib import Path

from attrs import define

import mlm
from mlm_plugins.sources.lines import RowIds, chunks, digest, existing, numbered_lines

BATCH_ROWS = 4096


@define(kw_only=True)
class Text:
    """Reads a text file (.txt, .txt.gz): one row for each line that is not blank."""

    path: Path = mlm.setting(help="the file to read, in UTF-8")

    @mlm.hookimpl
    def mlm_version(self, context: mlm.Context) -> str:
        return digest(existing(self.path, context.step))

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        ids = RowIds()
        lines = numbered_lines(existing(self.path, context.step))
        with context.writer() as writer:
            for chunk in chunks(lines, BATCH_ROWS):
                rows = {
                    "row_id": [ids.next(text.encode()) for _, text in chunk],
                    "source": [f"{self.path.name}:{number}" for number, _ in chunk],
                    "text": [text for _, text in chunk],
                }
                writer.write(mlm.Batch(pa.table(rows)))
        return writer.dataset
