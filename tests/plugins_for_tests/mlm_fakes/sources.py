"""Sources that need no file, or one that tells its version by itself."""

from __future__ import annotations

from pathlib import Path

from attrs import define

import mlm


@define(kw_only=True)
class Pairs:
    """Questions and answers, written in the project file."""

    rows: dict[str, str] = mlm.setting(help="completion by prompt")
    readers: int = mlm.setting(1, fingerprint=False, help="changes nothing in the result")

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        return stored(list(self.rows.items()), context)


@define(kw_only=True)
class Journal:
    """Lines of a file that only grows: its number of lines is its version."""

    file: str = mlm.setting(help="file with one prompt a line, relative to the project")

    @mlm.hookimpl
    def mlm_version(self, context: mlm.Context) -> str:
        return str(len(self._lines(context)))

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        return stored([(line, line) for line in self._lines(context)], context)

    def _lines(self, context: mlm.Context) -> list[str]:
        return Path(context.project, self.file).read_text(encoding="utf-8").splitlines()


def stored(pairs: list[tuple[str, str]], context: mlm.Context) -> mlm.Dataset:
    """Write pairs as a dataset into the context's folder."""
    import pyarrow as pa

    columns = {
        "row_id": [f"{context.step}:{number}" for number in range(len(pairs))],
        "source": [f"{context.step}" for _ in pairs],
        "prompt": [prompt for prompt, _ in pairs],
        "completion": [completion for _, completion in pairs],
    }
    with context.writer() as writer:
        writer.write(mlm.Batch(pa.table(columns)))
    return writer.dataset
