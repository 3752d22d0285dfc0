"""Where the file of exchanges ended at each decision, so that one that is lost, cut short or replaced is found.

The chain of seals in that file shows what was touched in it, but not that the file itself is gone. So beside each row
of the audit log it is kept where that chain ended. Recording an exchange costs nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import frozen

from mlm_registry.database import Database
from mlm_registry.errors import RegistryError
from mlm_registry.seals import seal
from mlm_registry.tampering import Touched

if TYPE_CHECKING:
    from mlm_registry.exchanges import Exchanges

_ADD = "INSERT INTO exchange_heads (first, seals, chain, at) VALUES (?, ?, ?, ?)"
_LAST = "SELECT first, seals, chain FROM exchange_heads ORDER BY id DESC LIMIT 1"
_NEWEST = "SELECT first, seals, chain, max(id), at FROM exchange_heads GROUP BY first"
_OF_OTHERS = "SELECT first FROM exchanges_elsewhere"


@frozen
class Anchor:
    """Where a chain of seals ended; `first` is the digest of its first seal, which tells it from any other."""

    first: str
    seals: int
    chain: str


class Anchors:
    """The anchors that a registry keeps of exchanges: its own, and after a pull those of others."""

    def __init__(self, database: Database, exchanges: Callable[[], Exchanges | None]) -> None:
        self._database = database
        self._exchanges = exchanges

    def keep(self) -> None:
        """Keep where the exchanges end now, inside a transaction; nothing is written where that is kept already."""
        end = None
        # A file that cannot be read stops no decision, such as a recall; a verification says that it cannot be.
        with suppress(RegistryError):
            exchanges = self._exchanges()
            end = exchanges and exchanges.end()
        if end and self._database.query(_LAST) != [(end.first, end.seals, end.chain)]:
            with self._database.transaction() as connection:
                made = connection.execute(_ADD, (end.first, end.seals, end.chain, time.time())).lastrowid
                seal(connection, "exchange_heads", made)

    def firsts(self) -> set[str]:
        """Return what names the chains of which there are anchors."""
        return {anchor.first for anchor, _ in self._newest()}

    def leave_to_others(self, firsts: Collection[str]) -> None:
        """Look for the exchanges of those chains elsewhere: their anchors came with a registry of another place."""
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO exchanges_elsewhere VALUES (?)", [(one,) for one in firsts])

    def touched(self) -> list[Touched]:
        """List what was recorded up to an anchor and is not here any more."""
        others = {first for (first,) in self._database.query(_OF_OTHERS)}
        own = [(anchor, at) for anchor, at in self._newest() if anchor.first not in others]
        exchanges = self._exchanges() if own else None
        return [
            Touched("exchanges", f"recorded until {_written(at)}", "are missing")
            for anchor, at in own
            if exchanges is None or not exchanges.goes_through(anchor)
        ]

    def _newest(self) -> list[tuple[Anchor, float]]:
        return [(Anchor(first, seals, chain), at) for first, seals, chain, _, at in self._database.query(_NEWEST)]


def _written(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
