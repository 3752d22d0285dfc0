"""Datasets of the `datasets` library: a folder that it saved or can load, or a repository of the Hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define
from attrs.validators import min_len

import mlm
from mlm.paths import files_at
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.parquet import fitted, identified

_COMMIT = re.compile(r"[0-9a-f]{40}")
_ROWS = 1024


@define(kw_only=True)
class Datasets:
    """Reads a dataset of the `datasets` library, from a folder or from the Hub; its splits stay splits.

    A folder is what `save_to_disk` wrote, or what `load_dataset` takes. On the Hub a dataset is read at a commit, so
    that the same name is the same data tomorrow.
    """

    name: str = mlm.setting(validator=min_len(1), help="a folder, or a dataset's name on the Hub: `owner/name`")
    revision: str = mlm.setting("", help="commit on the Hub, all 40 digits; needed there")
    config: str = mlm.setting("", help="configuration of the dataset, where it has several")
    split: str = mlm.setting("", help="the split to read; all where empty")

    @mlm.hookimpl
    def mlm_version(self, context: mlm.Context) -> str:
        folder = self._folder(context)
        if folder is None:
            return self._commit(context)
        return _digest(folder)

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        splits, ids = self._opened(context), RowIds()
        try:
            schema = pa.unify_schemas([_schema(part) for part in splits.values()])
        except pa.ArrowException as error:
            raise mlm.DataError(f"the splits of {self.name} disagree on the type of a column: {error}") from None
        title = Path(self.name).name
        with context.writer() as writer:
            for split, part in splits.items():
                first = 1
                for table in part.with_format("arrow").iter(_ROWS):
                    known = [name for name in table.column_names if name != "split"]
                    rows = table.select(known).append_column("split", pa.array([split] * len(table), pa.string()))
                    rows = fitted(rows.combine_chunks().to_batches()[0], schema)
                    content = table.to_pylist()
                    writer.write(mlm.Batch(identified(rows, content, ids, f"{title}/{split}", first)))
                    first += len(table)
        return writer.dataset

    def _folder(self, context: mlm.Context) -> Path | None:
        folder = context.project / self.name
        return folder if folder.is_dir() else None

    def _commit(self, context: mlm.Context) -> str:
        if not _COMMIT.fullmatch(self.revision):
            raise mlm.ProjectError(
                f"there is no folder {self.name}; from the Hub, a dataset is read at a commit: revision = the 40 digits"
                f" under https://huggingface.co/datasets/{self.name}/commits",
                context.step,
            )
        return self.revision

    def _opened(self, context: mlm.Context) -> Mapping[str, Any]:
        import datasets

        datasets.disable_progress_bars()
        folder = self._folder(context)
        where = str(folder) if folder else self.name
        revision = None if folder else self._commit(context)
        try:
            if folder and ((folder / "state.json").exists() or (folder / "dataset_dict.json").exists()):
                found = datasets.load_from_disk(where)
            else:
                found = datasets.load_dataset(
                    where, self.config or None, revision=revision, cache_dir=str(context.work / "cache")
                )
        except Exception as error:  # datasets raises what its file systems, parsers and the network do.
            said = " ".join(str(error).split())
            offline = "" if folder else " (is HF_HUB_OFFLINE set, or the network away?)"
            raise mlm.DataError(f"{self.name} cannot be loaded: {type(error).__name__}: {said}{offline}") from None
        splits = {str(name): part for name, part in found.items()} if isinstance(found, dict) else {"train": found}
        if self.split and self.split not in splits:
            raise mlm.DataError(f"{self.name} has no split '{self.split}' (splits: {', '.join(splits)})")
        return {self.split: splits[self.split]} if self.split else splits


def _schema(part: Any) -> Any:
    import pyarrow as pa

    kept = [field for field in part.features.arrow_schema.remove_metadata() if field.name != "split"]
    return pa.schema([*kept, ("split", pa.string())])


def _digest(folder: Path) -> str:
    """Digest the names, sizes and bytes of a folder's files (BLAKE3)."""
    from blake3 import blake3

    found = blake3()
    for name, file in files_at(folder):
        found.update(f"{name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                found.update(block)
    return found.hexdigest()
