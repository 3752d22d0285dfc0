"""The audit chain gives a touched row away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_registry import AuditCheck, Registry

ROWS = 5
row_numbers = st.integers(1, ROWS)


@contextmanager
def chain() -> Iterator[tuple[Registry, sqlite3.Connection]]:
    """Open a registry with five audit rows, and a connection that knows nothing of it."""
    with TemporaryDirectory() as folder, Registry.open(Path(folder)) as registry:
        for number in range(ROWS):
            registry.audit.append("promote", f"chat@{number}", by="ana", detail={"to": number})
        with closing(sqlite3.connect(Path(folder) / "registry.db", isolation_level=None)) as raw:
            yield registry, raw


def test_an_untouched_chain_is_whole(registry: Registry) -> None:
    assert AuditCheck(True, 0) == registry.audit.verify()

    first = registry.audit.append("promote", "chat@1", by="ana", detail={"ü": [1.5, None]})
    second = registry.audit.append("retire", "chat@1", by="bo")

    assert AuditCheck(True, 2) == registry.audit.verify()
    assert [second, first] == registry.audit.events()
    assert [second] == registry.audit.events(limit=1, subject="chat@1")


edits: st.SearchStrategy[tuple[str, object]] = st.one_of(
    st.tuples(st.sampled_from(["action", "subject", "by", "detail", "digest"]), st.text("ab{}0", max_size=9)),
    st.tuples(st.just("at"), st.floats(allow_nan=False)),
    st.tuples(st.sampled_from(["action", "by", "at"]), st.sampled_from([None, b"promote", b"ana"])),
)


@settings(max_examples=60, deadline=None)
@given(row=row_numbers, edit=edits)
def test_any_edited_row_is_named(row: int, edit: tuple[str, object]) -> None:
    with chain() as (registry, raw):
        column, value = edit
        raw.execute(f'UPDATE events SET "{column}" = ? WHERE id = ?', (value, row))

        check = registry.audit.verify()

    assert (False, row) == (check.ok, check.first_bad)
    assert check.rows == row - 1


@settings(max_examples=10, deadline=None)
@given(row=row_numbers)
def test_any_deleted_row_is_named(row: int) -> None:
    with chain() as (registry, raw):
        raw.execute("DELETE FROM events WHERE id = ?", (row,))

        check = registry.audit.verify()

    assert (False, row) == (check.ok, check.first_bad)
    assert "missing" in check.reason


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(row_numbers, min_size=2, max_size=2, unique=True))
def test_swapped_rows_are_named(rows: list[int]) -> None:
    with chain() as (registry, raw):
        a, b = rows
        raw.execute("UPDATE events SET id = 99 WHERE id = ?", (a,))
        raw.execute("UPDATE events SET id = ? WHERE id = ?", (a, b))
        raw.execute("UPDATE events SET id = ? WHERE id = 99", (b,))

        assert min(rows) == registry.audit.verify().first_bad


@pytest.mark.parametrize(
    ("sql", "first_bad"),
    [
        ("DELETE FROM audit_head", ROWS),
        ("DELETE FROM events", 1),
        ("DELETE FROM events WHERE id > 3", 4),
        ('INSERT INTO events SELECT 0, action, subject, "by", detail, at, digest, seal FROM events WHERE id = 1', 1),
    ],
)
def test_a_cut_or_a_lengthened_chain_is_found(sql: str, first_bad: int) -> None:
    with chain() as (registry, raw):
        raw.execute(sql)

        check = registry.audit.verify()

    assert (False, first_bad) == (check.ok, check.first_bad)


def test_an_added_row_with_a_right_digest_is_found_by_the_head(tmp_path: Path) -> None:
    with chain() as (registry, raw):
        before = registry.database.query("SELECT * FROM audit_head")
        registry.audit.append("promote", "evil@1", by="eve")
        raw.execute("UPDATE audit_head SET rows = ?, digest = ?", before[0][1:])

        assert registry.audit.verify().first_bad == ROWS + 1


def test_an_audit_row_falls_with_its_transaction(registry: Registry) -> None:
    def append_and_fail() -> None:
        with registry.transaction():
            registry.audit.append("promote", "chat@1", by="ana")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        append_and_fail()

    assert AuditCheck(True, 0) == registry.audit.verify()
