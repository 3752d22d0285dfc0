"""Tables and migrations, with sqlite-utils.

Importing this module is cheap; sqlite-utils itself (which brings pandas along where pandas is installed) is imported
only when a database is new or old. A released migration is never edited: a change of shape is one more function.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlm_registry.seals import EXCHANGE_KEYS, KEYS, seal_all

if TYPE_CHECKING:
    from sqlite_utils import Database

Migration = Callable[["Database"], None]

_JUDGED: dict[str, Any] = {"by": str, "reason": str, "at": float}


def _what_happened(database: Database) -> None:
    database.table("executions").create(
        {
            "id": int, "step": str, "stage": str, "run": str, "plugin": str, "distribution": str,
            "distribution_version": str, "plugin_digest": str, "fingerprint": str, "settings": str, "seed": int,
            "environment": str, "status": str, "error": str, "started": float, "seconds": float,
            "cpu_seconds": float, "cost_usd": float,
        },
        pk="id",
    )  # fmt: skip
    database.table("nodes").create(
        {
            "id": int, "name": str, "kind": str, "digest": str, "version": int, "execution": int, "size_bytes": int,
            "created": float, "metadata": str,
        },
        pk="id",
        not_null={"name", "kind", "digest", "version", "execution"},
        foreign_keys=[("execution", "executions", "id")],
    )  # fmt: skip
    # Clustered on the edge itself, with one covering index for the way back: closures touch nothing else.
    database.execute(
        "CREATE TABLE edges (source INTEGER NOT NULL REFERENCES nodes(id),"
        " target INTEGER NOT NULL REFERENCES nodes(id), role TEXT NOT NULL,"
        " position INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (source, target, role)) WITHOUT ROWID"
    )
    # A resumed run logs some steps again, so the last value of a point wins.
    database.execute(
        "CREATE TABLE metrics (execution INTEGER NOT NULL REFERENCES executions(id), name TEXT NOT NULL,"
        " step INTEGER NOT NULL, value REAL, PRIMARY KEY (execution, name, step)) WITHOUT ROWID"
    )
    database.table("scores").create(
        {
            "id": int, "metric": str, "value": float, "model": str, "data": str, "evaluator": str, "step": str,
            "report": int, "n": int, "low": float, "high": float, "unit": str, "settings": str, "backend": str,
            "seed": int,
        },
        pk="id",
    )  # fmt: skip
    database.table("judgements").create(
        {
            "id": int, "subject": str, "kind": str, "outcome": str, "code": str, "requirements": str, "low": float,
            "high": float, "evidence": str, **_JUDGED,
        },
        pk="id",
    )  # fmt: skip
    database.table("signals").create(
        {
            "id": int, "deployment": str, "metric": str, "value": float, "node": int, "n": int, "low": float,
            "high": float, "unit": str, "coverage": float, "at": float,
        },
        pk="id",
    )  # fmt: skip
    for table, columns in {
        "executions": [["run"], ["step"], ["fingerprint"], ["status"]],
        "nodes": [["execution"], ["digest"]],
        "edges": [["target", "source"]],
        "scores": [["model", "metric"], ["report"]],
        "judgements": [["subject", "kind"]],
        "signals": [["deployment", "metric"]],
    }.items():
        for names in columns:
            database.table(table).create_index(names)
    database.table("nodes").create_index(["name", "version"], unique=True)


def _what_was_decided(database: Database) -> None:
    node = [("node", "nodes", "id")]
    database.table("model_versions").create({"node": int, "state": str}, pk="node", foreign_keys=node)
    database.table("recalls").create({"node": int, **_JUDGED}, pk="node", foreign_keys=node)
    database.table("version_changes").create(
        {"id": int, "node": int, "change": str, **_JUDGED}, pk="id", foreign_keys=node
    )
    database.table("aliases").create({"id": int, "name": str, "node": int, **_JUDGED}, pk="id", foreign_keys=node)
    database.table("aliases").create_index(["name"])
    database.table("approvals").create({"id": int, "subject": str, "action": str, **_JUDGED}, pk="id")
    database.table("approvals").create_index(["subject", "action"])
    database.table("deployments").create(
        {"name": str, "revision": int, "arms": str, **_JUDGED}, pk=("name", "revision")
    )
    database.table("observations").create(
        {
            "deployment": str, "revision": int, "url": str, "pid": int, "arms": str, "error": str, "heartbeat": float,
        },
        pk="deployment",
    )  # fmt: skip
    database.table("proposals").create(
        {
            "id": int, "title": str, "plan": str, "changes": str, "evidence": str, "deployment": str, "state": str,
            **_JUDGED,
        },
        pk="id",
    )  # fmt: skip
    database.table("amendments").create(
        {
            "id": int, "op": str, "target": str, "value": str, "key": str, "proposal": int, "revoked": float,
            **_JUDGED,
        },
        pk="id",
    )  # fmt: skip
    database.table("events").create(
        {"id": int, "action": str, "subject": str, "by": str, "detail": str, "at": float, "digest": str}, pk="id"
    )
    database.table("events").create_index(["subject"])
    database.table("audit_head").create({"only": int, "rows": int, "digest": str}, pk="only")


def _what_was_asked(database: Database) -> None:
    database.table("exchanges").create(
        {
            "id": str, "deployment": str, "revision": int, "node": int, "route": str, "at": float, "request": str,
            "prompt": str, "response": str, "status": int, "error": str, "finish_reason": str,
            "latency_seconds": float, "first_token_seconds": float, "prompt_tokens": int, "completion_tokens": int,
            "cost_usd": float, "guards": str,
        },
        pk="id",
    )  # fmt: skip
    database.table("exchanges").create_index(["deployment", "at"])
    database.table("exchanges").create_index(["deployment", "node", "at"])
    database.table("exchanges").create_index(["node"])
    database.table("feedback").create(
        {"id": int, "exchange": str, "rating": int, "correction": str, "by": str, "at": float},
        pk="id",
        foreign_keys=[("exchange", "exchanges", "id")],
    )
    database.table("feedback").create_index(["exchange"])


def _what_lineage_acts_on(database: Database) -> None:
    # One dataset may enter by several of its splits, so the split belongs to the edge.
    database.execute(
        "CREATE TABLE new_edges (source INTEGER NOT NULL REFERENCES nodes(id),"
        " target INTEGER NOT NULL REFERENCES nodes(id), role TEXT NOT NULL, position INTEGER NOT NULL DEFAULT 0,"
        " split TEXT NOT NULL DEFAULT '', PRIMARY KEY (source, target, role, split)) WITHOUT ROWID"
    )
    database.execute("INSERT INTO new_edges SELECT source, target, role, position, '' FROM edges")
    database.execute("DROP TABLE edges")
    database.execute("ALTER TABLE new_edges RENAME TO edges")
    database.table("edges").create_index(["target", "source"])
    database.execute(
        "CREATE TABLE plugin_uses (execution INTEGER NOT NULL REFERENCES executions(id), position INTEGER NOT NULL,"
        " plugin TEXT NOT NULL, distribution TEXT, distribution_version TEXT, plugin_digest TEXT,"
        " PRIMARY KEY (execution, position)) WITHOUT ROWID"
    )
    database.table("plugin_uses").create_index(["plugin"])
    database.table("executions").create_index(["plugin"])
    _recalls_of_many(database)
    database.table("erasures").create(
        {"id": int, "subject": str, "certificate": str, "counts": str, **_JUDGED}, pk="id"
    )
    database.table("tombstones").create(
        {"node": int, "erasure": int, "replacement": int, "at": float},
        pk="node",
        foreign_keys=[("node", "nodes", "id"), ("erasure", "erasures", "id")],
    )


def _recalls_of_many(database: Database) -> None:
    """Let a recall flag several nodes, and a node be recalled for several reasons."""
    database.execute("ALTER TABLE recalls RENAME TO old_recalls")
    database.table("recalls").create(
        {"id": int, "subject": str, "nodes": str, "moves": str, "undone": float, **_JUDGED}, pk="id"
    )
    database.execute(
        "CREATE TABLE recalled_nodes (node INTEGER NOT NULL REFERENCES nodes(id),"
        " recall INTEGER NOT NULL REFERENCES recalls(id), PRIMARY KEY (node, recall)) WITHOUT ROWID"
    )
    database.execute(
        'INSERT INTO recalls (subject, nodes, moves, "by", reason, at)'
        " SELECT nodes.name || '@' || nodes.version, '[' || node || ']', '[]', old_recalls.\"by\", reason, at"
        " FROM old_recalls JOIN nodes ON nodes.id = node ORDER BY node"
    )
    database.execute("INSERT INTO recalled_nodes SELECT json_extract(nodes, '$[0]'), id FROM recalls")
    database.execute("DROP TABLE old_recalls")


def _what_gives_edits_away(database: Database) -> None:
    database.execute("ALTER TABLE events ADD COLUMN seal TEXT NOT NULL DEFAULT ''")
    _seals(database, KEYS)


def _what_gives_lost_answers_away(database: Database) -> None:
    database.table("exchange_heads").create({"id": int, "first": str, "seals": int, "chain": str, "at": float}, pk="id")
    database.table("exchanges_elsewhere").create({"first": str}, pk="first")
    database.execute(
        "CREATE INDEX events_decisions ON events (id) WHERE action NOT IN ('admitted', 'admission-refused')"
    )


def _what_gives_edited_answers_away(database: Database) -> None:
    _seals(database, EXCHANGE_KEYS)


def _seals(database: Database, keys: Mapping[str, Sequence[str]]) -> None:
    """Make the table of seals, and seal what stands."""
    # AUTOINCREMENT remembers how many there were, so a chain that was cut at its end is found.
    database.execute(
        'CREATE TABLE seals (id INTEGER PRIMARY KEY AUTOINCREMENT, "table" TEXT NOT NULL, "key" TEXT NOT NULL,'
        " digest BLOB, checks BLOB, chain BLOB NOT NULL)"
    )
    seal_all(database.conn, keys)


MIGRATIONS: Sequence[Migration] = (
    _what_happened, _what_was_decided, _what_lineage_acts_on, _what_gives_edits_away, _what_gives_lost_answers_away,
)  # fmt: skip
EXCHANGE_MIGRATIONS: Sequence[Migration] = (_what_was_asked, _what_gives_edited_answers_away)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], application: int) -> None:
    """Bring a database to the newest schema, each migration in a transaction of its own."""
    from sqlite_utils import Database

    # Its plugins are none of ours, and looking for them fails where any distribution's metadata is broken.
    database = Database(connection, execute_plugins=False)
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Read under the write lock: another process may have migrated while this one waited.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version < len(migrations):
                migrations[version](database)
                connection.execute(f"PRAGMA user_version = {version + 1}")
                connection.execute(f"PRAGMA application_id = {application}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if version >= len(migrations) - 1:
            return
