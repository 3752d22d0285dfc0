"""Web pages become their main text."""

from __future__ import annotations

from attrs import define, evolve

import mlm
from mlm_plugins.detectors.html import Page, main_text


@define(kw_only=True)
class ExtractHtml:
    """Puts the main text of each page in the place of its HTML, and its title beside it.

    A page in which no text is found is removed.
    """

    column: str = mlm.setting("html", help="the column that holds the pages; it gives way to `text` and `title`")
    fast: bool = mlm.setting(False, help="do without a second opinion on pages in which little was found")

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        import pyarrow as pa

        if self.column not in batch.table.column_names:
            raise mlm.DataError(f"the rows have no column '{self.column}' with web pages")
        pages = [self._page(html) for html in batch.table.column(self.column).to_pylist()]
        titles = pa.array([page.title for page in pages], pa.string())
        texts = pa.array([page.text for page in pages], pa.string())
        if self.column in batch.text_columns:
            batch = batch.replace_text(self.column, texts, "extracted")
        else:
            table = batch.table.drop_columns(
                [name for name in (self.column, "text") if name in batch.table.column_names]
            )
            batch = evolve(batch, table=table.append_column("text", texts))
        table = batch.table.drop_columns(["title"]) if "title" in batch.table.column_names else batch.table
        batch = evolve(batch, table=table.append_column("title", titles))
        return batch.remove([None if page.text else "" for page in pages], "no-text")

    def _page(self, html: bytes | str | None) -> Page:
        return main_text(html or "", fast=self.fast)
