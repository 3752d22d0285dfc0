"""Documents without the lines that every page of a site has."""

from __future__ import annotations

from collections import Counter

from attrs import define
from attrs.validators import deep_iterable, in_, min_len

import mlm
from mlm_plugins.detectors.boilerplate import RULES, without_citations


@define(kw_only=True)
class Boilerplate:
    """Takes out lines by rules, and removes rows of which nothing is left.

    `web` drops notes on cookies, scripts and rights, and menus. `c4` drops what C4 does: lines without an end mark or
    of fewer than three words, and with the word JavaScript or a policy; it is for prose, and takes out headings, lists
    and verse.
    """

    rules: list[str] = mlm.setting(
        factory=lambda: ["web"], validator=[min_len(1), deep_iterable(in_(tuple(RULES)))], help="web, c4, or both"
    )
    columns: list[str] = mlm.setting(
        factory=lambda: ["text"],
        validator=min_len(1),
        help="columns of documents, as far as they are there",
    )

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        emptied: list[str | None] = [None] * len(batch)
        for name in self.columns:
            if name not in batch.table.column_names:
                continue
            texts, details = batch.table.column(name).to_pylist(), [""] * len(batch)
            for row, text in enumerate(texts):
                if text and text.strip():
                    left, details[row] = self._cleaned(text)
                    if left:
                        texts[row] = left
                    else:
                        emptied[row] = details[row]
            batch = batch.replace_text(name, texts, "boilerplate", details)
        return batch.remove(emptied, "boilerplate")

    def _cleaned(self, text: str) -> tuple[str, str]:
        """Return the text that is left, and how many lines went for which reason."""
        kept, gone = [], Counter[str]()
        for line in text.split("\n"):
            if "c4" in self.rules:
                line = without_citations(line)
            why = self._why(line.strip()) if line.strip() else None
            if why is None:
                kept.append(line)
            else:
                gone[why] += 1
        left = "\n".join(kept)
        told = ", ".join(f"{count} {why}" for why, count in sorted(gone.items()))
        if gone:
            left = left.strip("\n") if left.strip() else ""
        return left, f"lines: {told}" if told else "citations"

    def _why(self, line: str) -> str | None:
        for name in self.rules:
            if why := RULES[name](line):
                return why
        return None
