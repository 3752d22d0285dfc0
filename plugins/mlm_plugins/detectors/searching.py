"""What detectors find in an Arrow column of strings; rows that hold nothing never become Python objects."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from mlm_plugins.detectors import pii, secrets
from mlm_plugins.detectors.columns import utf8
from mlm_plugins.detectors.spans import Span

if TYPE_CHECKING:
    import pyarrow as pa

Found = tuple[int, str, list[Span]]
"""Row, its text, and what the text holds."""


def personal_data(column: pa.ChunkedArray, kinds: Collection[str]) -> Iterator[Found]:
    """Find what `pii.find` finds in each text."""
    from mlm_plugins.detectors.pii_places import CLASSES, places

    first = 0
    for chunk in column.chunks:
        data, offsets = utf8(chunk)
        rows, starts = places(data, offsets, CLASSES, "url" in kinds)
        for row, pairs in groupby(zip(rows.tolist(), starts.tolist(), strict=True), itemgetter(0)):
            # A lone surrogate is no UTF-8, but what wrote the column may have let it through.
            text = str(data.data[offsets[row] : offsets[row + 1]], "utf-8", "surrogatepass")
            if spans := pii.spans_at(text, [start for _, start in pairs], kinds):
                yield first + row, text, spans
        first += len(chunk)


def secret_values(column: pa.ChunkedArray, kinds: Collection[str]) -> Iterator[Found]:
    """Find what `secrets.find` finds in each text."""
    import pyarrow.compute as pc

    places = pc.indices_nonzero(pc.match_substring_regex(column, secrets.SIGNS))
    for row, text in zip(places.to_pylist(), column.take(places).to_pylist(), strict=True):
        if spans := secrets.find(text, kinds):
            yield row, text, spans
