"""What can go wrong in the registry.

RegistryError
├── NotFound          nothing has that name, version or digest
├── Corrupt           the file is no registry, or bytes do not match their digest
└── NewerRegistry     the registry was written by a newer mlm
"""

from __future__ import annotations


class RegistryError(Exception):
    """Any failure of the registry; the message is one line for the user."""


class NotFound(RegistryError):
    """Nothing in the registry has that name, version or digest."""


class Corrupt(RegistryError):
    """The database is unreadable, or bytes do not match their digest."""


class NewerRegistry(RegistryError):
    """The registry's schema is newer than this code."""
