"""Requests and responses, in a database file of their own.

A gateway writes them in batches all day: in the registry's file they would wait for every transaction of the CLI.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from math import inf
from pathlib import Path
from typing import Any

from attrs import evolve

from mlm_registry.anchors import Anchor
from mlm_registry.database import Database
from mlm_registry.errors import NotFound
from mlm_registry.records.traffic import EXCHANGES, FEEDBACK, Exchange, Feedback
from mlm_registry.schema import EXCHANGE_MIGRATIONS
from mlm_registry.seals import EXCHANGE_KEYS, seal
from mlm_registry.tampering import Seals

_ONCE = " ON CONFLICT (id) DO NOTHING"
_PAIRS = f"SELECT {EXCHANGES.columns}, {FEEDBACK.columns} FROM feedback JOIN exchanges ON exchange = exchanges.id"
_ANSWERED = "status < 400"
_CHAIN = "SELECT id, lower(hex(chain)) FROM seals WHERE id IN (?, ?) ORDER BY id"
_ENDS = _CHAIN.replace("?, ?", "(SELECT min(id) FROM seals), (SELECT max(id) FROM seals)")
_WIDTH = EXCHANGES.columns.count(",") + 1


class Exchanges:
    """What was asked and answered, and what people thought of it."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path, EXCHANGE_MIGRATIONS)
        self.seals = Seals(self.database, EXCHANGE_KEYS)

    def record(self, exchanges: Sequence[Exchange]) -> None:
        """Store a batch in one transaction; one that is stored already is left alone.

        Raises:
            RegistryError: It cannot be written, or the file was moved or deleted since it was opened.
        """
        self.database.refuse_if_moved()
        exchanges = [_printable(exchange) for exchange in exchanges]
        with self.database.transaction() as connection:
            for exchange in exchanges:
                if connection.execute(EXCHANGES.insert_sql + _ONCE, EXCHANGES.row(exchange)).rowcount:
                    seal(connection, "exchanges", exchange.id)

    def get(self, id: str) -> Exchange:
        """Find one exchange."""
        found = self._select("WHERE id = ?", [id])
        if not found:
            raise NotFound(f"no exchange has id {id!r}")
        return found[0]

    def find(
        self,
        *,
        deployment: str | None = None,
        node: int | None = None,
        since: float | None = None,
        until: float | None = None,
        revision: int | None = None,
        user: str | None = None,
        limit: int | None = None,
    ) -> list[Exchange]:
        """List exchanges with since <= at < until, oldest first; a limit keeps the newest.

        Args:
            user: Who asked, as the request's `user` says.
        """
        tail, parameters = _window(
            deployment=deployment, node=node, since=since, until=until, revision=revision, user=user
        )
        if limit is None:
            return self._select(f"{tail} ORDER BY at, rowid", parameters)
        return self._select(f"{tail} ORDER BY at DESC, rowid DESC LIMIT ?", [*parameters, limit])[::-1]

    def count(
        self,
        *,
        deployment: str | None = None,
        node: int | None = None,
        since: float | None = None,
        until: float | None = None,
        revision: int | None = None,
        answered: bool = False,
    ) -> int:
        """Count exchanges with since <= at < until.

        Args:
            answered: Leave out requests that were refused or failed.
        """
        tail, parameters = _window(deployment=deployment, node=node, since=since, until=until, revision=revision)
        if answered:
            tail = f"{tail} AND {_ANSWERED}" if tail else f"WHERE {_ANSWERED}"
        return int(self.database.query(f"SELECT count(*) FROM exchanges {tail}", parameters)[0][0])

    def counts(self, nodes: Iterable[int]) -> dict[int, int]:
        """Count the responses of each of those nodes that gave any; a request that was refused or failed has none."""
        chosen = f"node IN (SELECT value FROM json_each(?)) AND {_ANSWERED}"
        sql = f"SELECT node, count(*) FROM exchanges WHERE {chosen} GROUP BY node"
        return dict(self.database.query(sql, [json.dumps(list(nodes))]))

    def node_counts(self, deployment: str) -> dict[int, int]:
        """Count a deployment's exchanges by the node that answered."""
        sql = "SELECT node, count(*) FROM exchanges WHERE deployment = ? GROUP BY node"
        return dict(self.database.query(sql, [deployment]))

    def feedback(self, feedback: Feedback) -> Feedback:
        """Store what a person said of a response.

        Raises:
            NotFound: No such exchange was recorded (a gateway that batches must write its batch first).
        """
        correction = feedback.correction and _replaced(feedback.correction)
        given = evolve(feedback, correction=correction, at=feedback.at or time.time(), id=0)
        with self.database.transaction() as connection:
            self.get(given.exchange)
            given = evolve(given, id=FEEDBACK.insert(connection, given))
            seal(connection, "feedback", given.id)
        return given

    def feedback_for(self, ids: Iterable[str]) -> list[tuple[Exchange, Feedback]]:
        """List the feedback on those exchanges, oldest first."""
        return self._pairs("WHERE exchange IN (SELECT value FROM json_each(?))", [json.dumps(list(ids))])

    def feedbacks(self, deployment: str | None = None, since: float | None = None) -> list[tuple[Exchange, Feedback]]:
        """List feedback given since then, oldest first."""
        conditions = {"exchanges.deployment = ?": deployment, "feedback.at >= ?": since}
        return self._pairs(*_all(conditions))

    def of_user(self, user: str, until: float = inf) -> list[str]:
        """List the ids of exchanges that a person asked (the request's `user`) or gave feedback on, up to a time."""
        sql = (
            "SELECT id FROM exchanges WHERE json_extract(request, '$.user') = :user AND at < :until"
            ' UNION SELECT exchange FROM feedback WHERE "by" = :user AND at < :until'
        )
        return [row[0] for row in self.database.query(sql, {"user": user, "until": until})]

    def users(self) -> list[str]:
        """List everybody who asked something, or gave feedback."""
        sql = "SELECT json_extract(request, '$.user') FROM exchanges UNION SELECT \"by\" FROM feedback"
        return [str(row[0]) for row in self.database.query(sql) if row[0]]

    def ids(self) -> list[str]:
        """List the ids of all exchanges."""
        return [row[0] for row in self.database.query("SELECT id FROM exchanges")]

    def erase(self, ids: Iterable[str]) -> int:
        """Delete exchanges and their feedback for good, and return how many; the freed pages are overwritten.

        Raises:
            RegistryError: Somebody reads the old pages and does not end; done again, it says so until they are gone.
        """
        wanted = [json.dumps(list(ids))]
        chosen = "(SELECT value FROM json_each(?))"
        self.database.query("PRAGMA secure_delete = ON")
        with self.database.transaction(durable=True) as connection:
            said = connection.execute(
                f"DELETE FROM feedback WHERE exchange IN {chosen} RETURNING id", wanted
            ).fetchall()
            asked = connection.execute(f"DELETE FROM exchanges WHERE id IN {chosen} RETURNING id", wanted).fetchall()
            for table, gone in (("feedback", said), ("exchanges", asked)):
                for (key,) in gone:
                    seal(connection, table, key)
        self.database.empty_log()
        return len(asked)

    def end(self) -> Anchor | None:
        """Return where the chain of seals ends; None where nothing was ever recorded."""
        found = self.database.query(_ENDS)
        return Anchor(found[0][1], *found[-1]) if found else None

    def goes_through(self, anchor: Anchor) -> bool:
        """Say whether all that was recorded up to an anchor is here, or was deleted by `erase`."""
        found = self.database.query(_CHAIN, [1, anchor.seals])
        return [(1, anchor.first), (anchor.seals, anchor.chain)] in (found, found * 2)

    def close(self) -> None:
        self.database.close()

    def _select(self, tail: str, parameters: Sequence[Any]) -> list[Exchange]:
        return [EXCHANGES.load(row) for row in self.database.query(EXCHANGES.select(tail), parameters)]

    def _pairs(self, tail: str, parameters: Sequence[Any]) -> list[tuple[Exchange, Feedback]]:
        rows = self.database.query(f"{_PAIRS} {tail} ORDER BY feedback.id", parameters)
        return [(EXCHANGES.load(row[:_WIDTH]), FEEDBACK.load(row[_WIDTH:])) for row in rows]


def _window(
    *,
    deployment: str | None,
    node: int | None,
    since: float | None,
    until: float | None,
    revision: int | None,
    user: str | None = None,
) -> tuple[str, list[Any]]:
    return _all(
        {
            "deployment = ?": deployment,
            "node = ?": node,
            "at >= ?": since,
            "at < ?": until,
            "revision = ?": revision,
            "json_extract(request, '$.user') = ?": user,
        }
    )


def _all(conditions: dict[str, Any]) -> tuple[str, list[Any]]:
    """Write WHERE from the conditions that have a value."""
    given = {condition: value for condition, value in conditions.items() if value is not None}
    return ("WHERE " + " AND ".join(given) if given else ""), list(given.values())


def _printable(exchange: Exchange) -> Exchange:
    """Replace lone surrogates, which a client may send as JSON escapes and SQLite cannot store as text."""
    if _is_text(exchange.prompt + exchange.response + (exchange.error or "")):
        return exchange
    return evolve(
        exchange,
        prompt=_replaced(exchange.prompt),
        response=_replaced(exchange.response),
        error=exchange.error and _replaced(exchange.error),
    )


def _is_text(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _replaced(value: str) -> str:
    return value.encode(errors="replace").decode()
