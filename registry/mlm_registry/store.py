"""The registry: one folder with two databases and the objects they name."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mlm_registry.database import Database
from mlm_registry.errors import NotFound, RegistryError
from mlm_registry.measures import Measures
from mlm_registry.parts import Parts
from mlm_registry.recording import Recording
from mlm_registry.schema import MIGRATIONS

if TYPE_CHECKING:
    from mlm_registry.exchanges import Exchanges
    from mlm_registry.objects import Objects
    from mlm_registry.remotes import Remote


class Registry(Recording, Parts, Measures):
    """What happened to a project: executions, nodes, lineage and decisions.

    May be used from several threads; each gets a connection of its own.
    """

    def __init__(self, folder: Path, database: Database, remote: Remote | None = None) -> None:
        self.folder = folder
        self.database = database
        self.remote = remote
        self._opening = threading.Lock()
        self._objects: Objects | None = None
        self._exchanges: Exchanges | None = None

    @classmethod
    def open(cls, folder: Path, *, create: bool = True, remote: str = "") -> Registry:
        """Open the registry in a folder, and make or migrate it where needed.

        Args:
            folder: Where it is.
            create: Whether to make one where there is none.
            remote: URL of the place from which objects are fetched that are not here.

        Raises:
            NotFound: There is none and `create` is false.
            Corrupt: The file is no registry.
            NewerRegistry: A newer mlm wrote it.
        """
        folder = Path(folder).absolute()
        path = folder / "registry.db"
        if not create and not path.exists():
            raise NotFound(f"there is no registry in {folder}; run a step first, or check the folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RegistryError(f"{folder} cannot be made ({error.strerror}); check its permissions") from error
        return cls(folder, Database(path, MIGRATIONS), _remote(remote, folder) if remote else None)

    @property
    def objects(self) -> Objects:
        """Stored bytes; what is known of them is opened on first use."""
        with self._opening:
            if self._objects is None:
                from mlm_registry.objects import Objects

                self._objects = Objects(self.folder, self.remote)
            return self._objects

    @property
    def has_exchanges(self) -> bool:
        """Say whether anything was ever asked."""
        return (self.folder / "exchanges.db").exists()

    @property
    def exchanges(self) -> Exchanges:
        """Requests and responses; their file is opened on first use."""
        with self._opening:
            if self._exchanges is None:
                from mlm_registry.exchanges import Exchanges

                self._exchanges = Exchanges(self.folder / "exchanges.db")
            return self._exchanges

    def recorded_exchanges(self) -> Exchanges | None:
        """Return the file of exchanges where there is one."""
        return self.exchanges if self.has_exchanges else None

    def transaction(self, durable: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        """Write several things or none; what is called inside joins in.

        Args:
            durable: Return only when the change is on the disk.
        """
        return self.database.transaction(durable)

    def data_version(self) -> int:
        """Return a number that changes when another connection has written; compare it on one thread."""
        return self.database.version()

    def close(self) -> None:
        """Close every connection."""
        if self._exchanges is not None:
            self._exchanges.close()
        if self._objects is not None:
            self._objects.close()
        self.database.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _remote(url: str, folder: Path) -> Remote:
    from mlm_registry.remotes import Remote

    return Remote(url, folder)
