"""Batches of rows on their way through a data step.

A row that leaves keeps its id, its source, the transform that removed it and the reason; a row that is changed is
named with the transform and the reason. Rows in = rows out + rows removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from mlm.conversations import as_text, as_transcript, is_conversation, pieces, with_pieces
from mlm.people import as_name, said

if TYPE_CHECKING:
    import pyarrow as pa

    from mlm.conversations import Pieces

ROW_ID, SOURCE, SPLIT = "row_id", "source", "split"
TEXT_COLUMNS = ("text", "prompt", "completion", "chosen", "rejected", "messages")
"""Columns that hold text for a model to read or write, by TRL's names; each may hold conversations instead."""
BESIDE_COLUMNS = ("tools", "extra", "metadata")
"""Columns of records, or of JSON, that tell more of a row than its text."""
_KEPT_CHARACTERS = 2000
"""How much of a removed row's text is kept."""


@frozen
class Removal:
    """One row that a transform took out, and why."""

    row_id: str
    """Id of the row."""
    source: str
    """File and line, or address, that it was read from."""
    reason: str
    """A word that is the same for all rows removed for one reason, such as `too-short`."""
    detail: str = ""
    """What was seen in this very row."""
    text: str = ""
    """Beginning of its text; of a conversation with roles and tool calls."""
    step: str = ""
    """The transform; set by mlm."""
    subject: str = ""
    """Whom the row is about by what `mlm.people` looks at: the name, or JSON where there is more than one name."""


@frozen
class Change:
    """Rows that a transform changed for one reason."""

    reason: str
    """A word that is the same for all rows changed for one reason."""
    row_ids: tuple[str, ...]
    """Ids of the rows."""
    details: tuple[str, ...] = ()
    """How each was changed, or nothing. It is stored, so it never quotes what was taken out."""
    step: str = ""
    """The transform; set by mlm."""

    def __len__(self) -> int:
        return len(self.row_ids)


@frozen
class Batch:
    """Some rows as an Arrow table with the columns `row_id` and `source`, and what was removed and changed."""

    table: pa.Table
    """The rows."""
    removals: tuple[Removal, ...] = ()
    """What `remove` noted."""
    changes: tuple[Change, ...] = ()
    """What `map_text` and `replace_text` noted."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def text_columns(self) -> list[str]:
        """Names of the text columns that this batch has."""
        return [name for name in TEXT_COLUMNS if name in self.table.column_names]

    def strings(self, column: str) -> list[str]:
        """Return a column as Python strings; null reads as empty, a conversation as its messages line by line."""
        return [value or "" for value in as_text(self.table.column(column)).to_pylist()]

    @property
    def beside_columns(self) -> list[str]:
        """Names of the columns beside the text that this batch has: `tools`, `extra` and `metadata`."""
        return [name for name in BESIDE_COLUMNS if name in self.table.column_names]

    def pieces(self, column: str) -> pa.ChunkedArray:
        """Return the texts of a text column, which `replace_text` can put others for.

        They are its values, one a row; of conversations they are the texts of all messages, one after another: a
        message's content or the text parts of it, its name, its thoughts, its refusal, and the values that its tool
        calls hand over.
        """
        return pieces(self.table.column(column)).texts

    def names_of_pieces(self, column: str) -> list[str | None]:
        """Return the key of each piece that is a name or an argument of a tool call; None for what is said."""
        return pieces(self.table.column(column)).names

    def whole_pieces(self, column: str) -> Pieces:
        """Return all texts of a text column, or of one beside the text, with their names and rows.

        Of messages these are also ids and names of calls, keys, and fields of one provider. What says whom a row is
        about is none of them.
        """
        return pieces(self.table.column(column), self._beside(column, whole=True))

    def _beside(self, column: str, *, whole: bool) -> str:
        is_text = column in TEXT_COLUMNS and not is_conversation(self.table.column(column).type)
        return column if whole and not is_text else ""

    def texts(self) -> list[str]:
        """Return each row's text columns joined by newlines."""
        return self._rows(as_text)

    def _rows(self, form: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> list[str]:
        """Return each row's text columns, put into that form, joined by newlines."""
        columns = [form(self.table.column(name)).to_pylist() for name in self.text_columns]
        return ["\n".join(text or "" for text in row) for row in zip(*columns, strict=True)] or [""] * len(self)

    def subjects(self) -> list[str]:
        """Return whom each row is about; empty where nothing says it."""
        return [as_name(values) for values in said(self.table)]

    def remove(self, details: Sequence[str | None], reason: str | Sequence[str]) -> Batch:
        """Remove each row whose entry is not None; the entry is the detail kept with `reason`.

        Args:
            reason: One for all, or one a row. Rows are counted by it, so there are few, and none quotes a row.
        """
        if len(details) != len(self):
            raise ValueError(f"{len(details)} details for {len(self)} rows")
        places = [place for place, detail in enumerate(details) if detail is not None]
        if not places:
            return self
        # Only the rows that leave become Python objects.
        gone = Batch(self.table.take(places))
        rows = zip(
            gone.strings(ROW_ID), gone.strings(SOURCE), gone._rows(as_transcript), gone.subjects(), places, strict=True
        )  # fmt: skip
        removals = tuple(
            Removal(
                row_id,
                source,
                reason if isinstance(reason, str) else reason[place],
                details[place] or "",
                text[:_KEPT_CHARACTERS],
                subject=subject,
            )
            for row_id, source, text, subject, place in rows
        )
        keep = [detail is None for detail in details]
        return evolve(self, table=self.table.filter(keep), removals=self.removals + removals)

    def map_text(self, change: Callable[[str], str], reason: str) -> Batch:
        """Apply `change` to every text column, and record the rows that it changed."""
        batch = self
        for name in self.text_columns:
            old = self.pieces(name).to_pylist()
            batch = batch.replace_text(name, [value if value is None else change(value) for value in old], reason)
        return batch

    def replace_text(
        self,
        column: str,
        values: Sequence[str | None] | pa.Array,
        reason: str,
        details: Sequence[str] | None = None,
        *,
        whole: bool = False,
    ) -> Batch:
        """Put new text into a column, and record the rows that it changes.

        Args:
            values: One for each of the column's `pieces`, in their order.
            details: One a piece: how it was changed. What was taken out is never quoted.
            whole: The values are for its `whole_pieces`.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        beside = self._beside(column, whole=whole)
        was = pieces(self.table.column(column), beside)
        old = was.texts
        new = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())
        same = pc.fill_null(pc.equal(old, new), False)
        differs = pc.invert(pc.or_(same, pc.and_(pc.is_null(old), pc.is_null(new))))
        places = pc.indices_nonzero(differs)
        if not len(places):
            return self
        rows = pa.array(was.rows).take(places)
        ids = self.table.column(ROW_ID).take(rows).to_pylist()
        told = [details[place] for place in places.to_pylist()] if details is not None else [""] * len(ids)
        changed = with_pieces(self.table.column(column), new, beside)
        table = self.table.set_column(self.table.column_names.index(column), column, changed)
        return evolve(self, table=table, changes=_with(self.changes, reason, _details(ids, told)))

    def with_column(self, name: str, values: Sequence[Any]) -> Batch:
        """Add a column, or replace the one of that name; text is changed with `replace_text`."""
        return evolve(self, table=_with_column(self.table, name, list(values)))


def _details(ids: list[str], details: list[str]) -> dict[str, str]:
    """Return what is told of each row; of a conversation, what is told of its messages."""
    found: dict[str, list[str]] = {}
    for row_id, detail in zip(ids, details, strict=True):
        found.setdefault(row_id, []).append(detail)
    return {row_id: _joined(*told) for row_id, told in found.items()}


def _with(changes: tuple[Change, ...], reason: str, found: dict[str, str]) -> tuple[Change, ...]:
    """Add changed rows; a row that was changed for that reason before, in another column, counts once."""
    others = []
    for change in changes:
        if change.reason == reason:
            before = dict(zip(change.row_ids, change.details or [""] * len(change), strict=True))
            found = before | {row: _joined(before.get(row, ""), detail) for row, detail in found.items()}
        else:
            others.append(change)
    kept = tuple(found.values()) if any(found.values()) else ()
    return (*others, Change(reason, tuple(found), kept))


def _joined(*details: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, details)))


def _with_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    import pyarrow as pa

    is_text = name in TEXT_COLUMNS and not any(isinstance(value, list) for value in values)
    column = pa.array(values, pa.string()) if is_text else pa.array(values)
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)
