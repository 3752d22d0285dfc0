"""The header of a safetensors file, read without a library: 8 bytes of length, then JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import mlm

MAX_HEADER_BYTES = 100_000_000
"""The format's own limit."""


def read_header(file: Path) -> dict[str, Any]:
    """Return names, dtypes and shapes of the tensors; DataError where the file is none, or is not whole."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= MAX_HEADER_BYTES:
            raise mlm.DataError(f"{file} is no safetensors file: its header claims {length} bytes")
        try:
            header = json.loads(stream.read(length))
        except ValueError as error:
            raise mlm.DataError(f"{file} is no safetensors file: {error}") from error
    header.pop("__metadata__", None)
    whole = 8 + length + max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
    if (size := file.stat().st_size) != whole:
        raise mlm.DataError(f"{file} has {size:,} bytes, and its header tells of {whole:,}: copy or download it again")
    return dict(header)


def count_parameters(file: Path) -> int:
    """Return the number of values in all tensors; tied weights are stored, and counted, once."""
    return sum(math.prod(tensor["shape"]) for tensor in read_header(file).values())
