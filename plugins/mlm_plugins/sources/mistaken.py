"""What a file that was taken for JSON lines holds instead, by its first line."""

from __future__ import annotations

from typing import Any

from mlm_plugins.sources.reading import bare

ARRAY = (
    'the line begins a JSON array; if the file holds one array, `use = "jsonl"` reads its items where it is named .json'
)


def holds_array(value: Any) -> bool:
    """Say whether a first line's value is a whole document: an array of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def instead(name: str, line: bytes, error: str) -> str:
    """Say what is wrong with a first line that is no JSON: with it, the whole file may be of another format."""
    if line.startswith(b"PAR1"):
        return 'the file holds Parquet, not JSON lines: `use = "parquet"` reads it'
    if line.lstrip()[:1] == b"[":
        return ARRAY
    looks_so = line.lstrip()[:1] != b"{" and any(separator in line for separator in (b",", b"\t", b";"))
    if bare(name).endswith((".csv", ".tsv")) or looks_so:
        return f'{error}; if the file holds CSV, `use = "csv"` reads it'
    return error
