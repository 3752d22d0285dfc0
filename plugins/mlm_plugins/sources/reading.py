"""What all sources of files share: which files, how long a row may be, and what happens to what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import define, field
from attrs.validators import ge, in_

import mlm
from mlm.paths import files_at, is_pattern
from mlm.people import as_name, said_in
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.json_values import canonical
from mlm_plugins.sources.lines import HEAD_BYTES, Fault
from mlm_plugins.sources.streams import COMPRESSIONS

BATCH_ROWS = 4096
BATCH_BYTES = 8 << 20


@define
class Chunk:
    """Rows of a file that were read together: what each holds, its bytes and its number in the file."""

    numbers: list[int] = field(factory=list)
    values: list[Any] = field(factory=list)
    raws: list[bytes] = field(factory=list)
    faults: list[Fault] = field(factory=list)

    def set_aside(self, misfits: Sequence[str | None]) -> Chunk:
        """Return the rows that fit; each of the others becomes a fault."""
        kept = [index for index, misfit in enumerate(misfits) if misfit is None]
        faults = [
            Fault(
                self.numbers[index],
                misfit,
                self.raws[index][:HEAD_BYTES],
                "schema",
                canonical(self.values[index]),
                subject_of(self.values[index]),
            )
            for index, misfit in enumerate(misfits)
            if misfit is not None
        ]
        return Chunk(
            [self.numbers[i] for i in kept], [self.values[i] for i in kept], [self.raws[i] for i in kept],
            [*self.faults, *faults],
        )  # fmt: skip


@define(kw_only=True)
class Files:
    """Reads a file, the files of a folder, or those that a pattern such as `corpus/*.jsonl.zst` matches, by name.

    Files may be compressed (gzip, bzip2, xz, Zstandard): what a file holds decides, not its name. A row that cannot
    be read stops the run, or is set aside under its file and position with `on_error = "set-aside"`.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    """Which files of a folder are read."""
    unit: ClassVar[str] = "line"
    """What a position counts."""
    stopping: ClassVar[tuple[str, ...]] = ("malformed", "damaged")
    """Reasons for which a row cannot be read; rows of other reasons are set aside in any case."""

    path: Path = mlm.setting(help="the file, folder or pattern to read")
    on_error: str = mlm.setting(
        "stop", validator=in_(("stop", "set-aside")), help="what a row that cannot be read does: stop, or set-aside"
    )
    max_row_bytes: int = mlm.setting(64 << 20, validator=ge(1), unit="bytes", help="a longer row is not read")

    def files(self, context: mlm.Context) -> list[tuple[str, Path]]:
        """Return (name, file) of what is read; ProjectError where there is nothing."""
        path, found = self.path, files_at(self.path)
        if is_pattern(path):
            missing = "" if found else f"no file matches {path}"
        elif path.is_dir():
            found = [(name, file) for name, file in found if bare(name).endswith(self.suffixes)]
            missing = "" if found else f"the folder {path} has no {' or '.join(self.suffixes)} file"
        else:
            missing = "" if path.exists() or path.is_symlink() else f"no such file: {path}"
        if missing:
            raise mlm.ProjectError(missing, context.step)
        return found

    def removals(self, name: str, file: Path, faults: Sequence[Fault], ids: RowIds) -> tuple[mlm.Removal, ...]:
        """Return what is set aside; DataError names the first that stops the run."""
        if not faults:
            return ()
        faults = sorted(faults, key=lambda fault: fault.number)
        for fault in faults:
            if self.on_error == "stop" and fault.reason in self.stopping:
                means = '; on_error = "set-aside" goes on without such rows' if fault.reason == "schema" else ""
                raise mlm.DataError(f"{file}, {self.unit} {fault.number}: {fault.detail}{means}")
        row_ids = ids.of([fault.key or fault.head or fault.detail.encode() for fault in faults])
        return tuple(
            mlm.Removal(
                row_id,
                f"{name}:{fault.number}",
                fault.reason,
                fault.detail,
                fault.head.decode("utf-8", "replace"),
                subject=fault.subject,
            )
            for row_id, fault in zip(row_ids, faults, strict=True)
        )


def subject_of(value: Any) -> str:
    """Return whom a row is about, by the keys that say it."""
    return as_name(said_in(value)) if isinstance(value, dict) else ""


def bare(name: str) -> str:
    """Return a file's name in lower case, without the suffix of its compression."""
    name = name.lower()
    return next((name.removesuffix(suffix) for suffix in COMPRESSIONS if name.endswith(suffix)), name)


def sized(rows: Iterator[tuple[int, Any, bytes] | Fault]) -> Iterator[Chunk]:
    """Gather rows into chunks of a bounded number of rows and bytes."""
    chunk, size = Chunk(), 0
    for row in rows:
        if isinstance(row, Fault):
            chunk.faults.append(row)
            size += len(row.head)
        else:
            number, value, raw = row
            chunk.numbers.append(number)
            chunk.values.append(value)
            chunk.raws.append(raw)
            size += len(raw)
        if size >= BATCH_BYTES or len(chunk.numbers) + len(chunk.faults) >= BATCH_ROWS:
            yield chunk
            chunk, size = Chunk(), 0
    if chunk.numbers or chunk.faults:
        yield chunk
