"""What a policy does with what a detector found: mask it, put a digest in its place, drop the row, or keep it."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

import mlm
from mlm_plugins.detectors.columns import with_values
from mlm_plugins.detectors.spans import Span, named, replaced

if TYPE_CHECKING:
    import pyarrow as pa

ACTIONS = ("redact", "hash", "drop", "keep")
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
_GROUPED = ("card", "iban", "phone", "ssn", "national_id")
"""Kinds that are equal however their characters are grouped."""
_CASELESS = ("email", "iban", "ip", "national_id")
"""Kinds that are equal in capitals and small letters."""


@frozen
class Masking:
    """Applies a policy to every text column of a batch, and to what stands beside the text."""

    reason: str
    look: Callable[[pa.ChunkedArray, Collection[str]], Iterable[tuple[int, str, list[Span]]]]
    """Yields the texts of a column that hold something: place, text and what it holds."""
    policy: Mapping[str, str]
    """An action for every kind that the detector knows."""
    key: bytes = b""

    def apply(self, batch: mlm.Batch) -> mlm.Batch:
        """Mask the texts, and remove the rows that hold what is dropped; both say of which kinds, never what."""
        if not batch.text_columns:
            found = ", ".join(batch.table.column_names)
            raise mlm.DataError(f"no column holds text to look through for {self.reason} (columns: {found})")
        kinds = [kind for kind, action in self.policy.items() if action != "keep"]
        dropped: dict[int, set[str]] = {}
        masked = batch
        for name in [*batch.text_columns, *batch.beside_columns]:
            whole = batch.whole_pieces(name)
            pieces, rows = whole.texts, whole.rows.tolist()
            labels = [f"{key}: " if key else "" for key in whole.names]
            where = f" in {name}" if name in batch.beside_columns else ""
            values, details = {}, [""] * len(pieces)
            for piece, text, spans in self.look(_labelled(pieces, labels), kinds):
                start = len(labels[piece])
                inside = [span for span in spans if span.start >= start]
                if not inside:
                    continue
                values[piece] = replaced(text, inside, self._mask)[start:]
                details[piece] = _counted(inside) + where
                for span in inside:
                    if self.policy[span.kind] == "drop":
                        dropped.setdefault(rows[piece], set()).add(span.kind)
            if values:
                masked = masked.replace_text(name, with_values(pieces, values), self.reason, details, whole=True)
        if not dropped:
            return masked
        # Masked before the removal, which keeps the text of what it removes.
        return masked.remove(
            [", ".join(sorted(dropped[row])) if row in dropped else None for row in range(len(batch))], self.reason
        )

    def _mask(self, span: Span, found: str) -> str:
        if self.policy[span.kind] != "hash":
            return named(span, found)
        plain = found.casefold() if span.kind in _CASELESS else found
        if span.kind in _GROUPED:
            plain = "".join(filter(str.isalnum, plain))
        message = f"{span.kind}:{plain}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self.key, message, hashlib.sha256).hexdigest()[:16]
        # Consonants alone: no detector takes the mask for a number, and it spells no word.
        return f"<{span.kind.upper()}:{digest.translate(_LETTERS)}>"


def _labelled(pieces: pa.ChunkedArray, labels: list[str]) -> pa.ChunkedArray:
    """Put keys before what stands under them: some values are known by their label alone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not any(labels):
        return pieces
    return pc.binary_join_element_wise(pa.chunked_array([pa.array(labels, pa.string())]), pieces, "")


def _counted(spans: list[Span]) -> str:
    if len(spans) == 1:
        return spans[0].kind
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(span.kind for span in spans).items()))


def checked(policy: Mapping[str, str], key: mlm.Secret | None) -> None:
    """Raise ValueError where a digest is asked for without a key: few digits are soon tried out."""
    if "hash" in policy.values() and key is None:
        raise ValueError('`hash` needs a key: key = { env = "NAME" }')
