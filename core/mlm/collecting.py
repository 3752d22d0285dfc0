"""Garbage collection: bytes that no node of the registry names, such as those of a step that was killed."""

from __future__ import annotations

import shutil
from pathlib import Path

from attrs import frozen

from mlm.fingerprints import work_name
from mlm.locking import alone
from mlm_registry import Registry


@frozen
class Collected:
    """What a collection deleted, or would delete."""

    deleted: bool
    files: int
    """Stored files, laid out directories and half-written files that no node needs."""
    bytes: int
    needed: int
    """Digests that nodes name; all of their bytes stay."""
    indexes: int
    """Indexes of datasets that are gone."""
    unfinished: int
    """Work of steps that failed or were interrupted, and have begun anew since with something changed."""


def collect(registry: Registry, *, delete: bool) -> Collected:
    """Count the references to stored bytes, and delete what has none.

    Every node is a reference, whatever its age or state: lineage needs the bytes of what it can be asked about. Nothing
    may run meanwhile, for a step stores its bytes before its node names them.

    Raises:
        MlmError: A run or a reconciliation is at work.
    """
    with alone(registry.folder):
        needed = living_digests(registry)
        garbage = registry.objects.garbage(needed)
        indexes = _lost_indexes(registry.folder / "indexes", needed)
        unfinished = _outdated(registry)
        size = sum(size for _, size in garbage) + sum(map(_size, unfinished))
        if delete:
            registry.objects.sweep(needed)
            for folder in indexes + unfinished:
                shutil.rmtree(folder)
    return Collected(delete, len(garbage), size, len(needed), len(indexes), len(unfinished))


def living_digests(registry: Registry) -> set[str]:
    """Return the digests that nodes without a tombstone name, and those of certificates of erasure."""
    buried = registry.erasures.buried()
    certificates = {erasure.certificate for erasure in registry.erasures.all()}
    return certificates | {node.digest for node in registry.nodes() if node.id not in buried}


def _lost_indexes(folder: Path, needed: set[str]) -> list[Path]:
    return [index for index in sorted(folder.glob("*")) if index.name not in needed]


def _outdated(registry: Registry) -> list[Path]:
    """List the work folders of fingerprints that are not those of their steps' newest executions."""
    newest: dict[str, str] = {}
    for execution in registry.executions():
        newest.setdefault(execution.step, execution.fingerprint)
    current = {work_name(fingerprint) for fingerprint in newest.values()}
    return [work for work in sorted((registry.folder / "work").glob("*")) if work.name not in current]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
