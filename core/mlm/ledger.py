"""The ledger of erasures, beside the registry: it outlives a restored backup and holds no name.

Each line of `erasures.jsonl` names a person or a row by a keyed digest (HMAC-SHA-256). The key lies in `erasure.key`,
readable by its owner alone: without it nobody can try names against the ledger.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, define, field, frozen

from mlm.batches import ROW_ID, SOURCE
from mlm.errors import MlmError
from mlm.honouring import LINES
from mlm.people import AROUND, SUBJECT_COLUMNS, names_in, said

if TYPE_CHECKING:
    import pyarrow as pa


KEY = "erasure.key"
LOOKED_AT = (ROW_ID, SOURCE, *SUBJECT_COLUMNS, *AROUND, "parents")
"""Columns that say whether a row is to be erased."""
FILES = (KEY, LINES)
"""The ledger and its key, in the registry's folder; lines say nothing without the key, so it is written first."""


@frozen
class Entry:
    """One erasure: keyed digests of a person, of rows, and of exchanges."""

    subject: str
    rows: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""
    at: float = 0.0

    @property
    def name(self) -> str:
        """What the registry calls this erasure."""
        return f"{self.subject}:{self.at}"


@define
class Ledger:
    """Every erasure that a registry must honour, whatever backup it was restored from."""

    folder: Path
    entries: list[Entry] = field(factory=list)
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """Read the ledger of a registry; MlmError where the key is lost, for then no erasure can be honoured."""
        lines, key = folder / LINES, folder / KEY
        if not lines.exists():
            return cls(folder, [], key.read_bytes() if key.exists() else b"")
        if not key.exists():
            raise MlmError(f"{key} is missing, and {lines} cannot be read without it: restore it from a backup")
        return cls(folder, _entries(lines.read_text(encoding="utf-8")), key.read_bytes())

    def digest(self, kind: str, value: str) -> str:
        """Return the keyed digest of a name; the key is made when it is first needed."""
        if not self.key:
            self.key = secrets.token_bytes(32)
            write_secret(self.folder / KEY, self.key)
        return hmac.digest(self.key, f"{kind}\0{value}".encode(errors="surrogatepass"), "sha256").hex()

    def add(self, entry: Entry) -> None:
        """Append an erasure, on the disk before anything is erased."""
        with (self.folder / LINES).open("a+", encoding="utf-8") as file:
            # A line that a crash cut short is ended, and is read as no entry.
            file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
            file.write(("" if file.read(1) in ("", "\n") else "\n") + json.dumps(asdict(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.entries.append(entry)

    def matches(self, table: pa.Table, entries: Iterable[Entry]) -> list[bool]:
        """Say of each row whether it is about an erased person, is an erased row, or was made from one."""
        entries = list(entries)
        subjects = {entry.subject for entry in entries}
        rows = {row for entry in entries for row in entry.rows}
        exchanges = {exchange for entry in entries for exchange in entry.exchanges}

        @cache
        def is_person(name: str) -> bool:
            return self.digest("subject", name) in subjects

        @cache
        def is_row(row_id: str) -> bool:
            return self.digest("row", row_id) in rows

        def of_exchange(source: str) -> bool:
            kind, _, rest = source.partition(":")
            return kind == "exchange" and self.digest("exchange", rest) in exchanges

        tests: dict[str, Callable[[Any], bool]] = {
            SOURCE: of_exchange,
            ROW_ID: lambda row_id: is_row(row_id.partition("#")[0]),
            "parents": lambda parents: any(map(is_row, names_in(parents))),
        }
        found = [any(map(is_person, names_in(values))) for values in said(table)]
        for name, test in tests.items():
            if name in table.column_names:
                values = table.column(name).to_pylist()
                found = [was or (value is not None and test(value)) for was, value in zip(found, values, strict=True)]
        return found


def _entries(text: str) -> list[Entry]:
    """Read the lines of a ledger; one that a crash cut short is none."""
    return [_entry(json.loads(line)) for line in text.splitlines() if line.endswith("}")]


def merge(folder: Path, lines: bytes, key: bytes) -> None:
    """Add the erasures of another copy of a ledger, and delete what interrupted steps left, which may hold their rows.

    Raises:
        MlmError: The other copy was written with another key.
    """
    own = Ledger.read(folder)
    if own.entries and not hmac.compare_digest(own.key, key):
        raise MlmError(f"the ledger of erasures in {folder} and the remote's have different keys: they are no copies")
    if own.key != key:
        write_secret(folder / KEY, key)
    known = {entry.name for entry in own.entries}
    new = [entry for entry in _entries(lines.decode()) if entry.name not in known]
    if new:
        shutil.rmtree(folder / "work", ignore_errors=True)
    for entry in new:
        own.add(entry)


def _entry(line: dict[str, Any]) -> Entry:
    return Entry(**{**line, "rows": tuple(line["rows"]), "exchanges": tuple(line["exchanges"])})


def write_secret(path: Path, content: bytes) -> None:
    """Write a secret that only its owner may read, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
