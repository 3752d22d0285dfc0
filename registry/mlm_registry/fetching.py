"""Bring objects here from a remote when they are first needed: whole and verified, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from mlm_registry import integrity
from mlm_registry.blobs import Blobs, loose
from mlm_registry.digests import hash_file
from mlm_registry.errors import Corrupt
from mlm_registry.remotes import Progress, Remote, silent
from mlm_registry.trees import manifest_digest


class Fetching:
    """Objects that lie at a remote; without a remote there are none."""

    def __init__(self, blobs: Blobs, remote: Remote | None) -> None:
        self._blobs = blobs
        self._remote = remote

    def can(self, digest: str) -> bool:
        """Say whether the remote had an object when it was last seen."""
        if self._remote is None:
            return False
        return any(self._holds(path) for path in (self._blobs.blob(digest), self._blobs.manifest(digest)))

    def bring(self, digest: str, progress: Progress = silent) -> None:
        """Fetch what is missing of an object.

        Raises:
            Corrupt: What the remote has does not match its digest; nothing of it is kept.
        """
        if not self.can(digest):
            return
        self.bring_manifest(digest)
        if not self._blobs.manifest(digest).exists():
            self._bring([(self._blobs.blob(digest), digest)], progress)
            return
        entries = self._blobs.entries(digest)
        packs = self._blobs.packs(digest, entries)
        files = {self._blobs.blob(entry.digest): entry.digest for entry in loose(entries, packs)}
        files |= {self._blobs.blob(pack.digest): pack.digest for pack in packs}
        self._bring([(path, named) for path, named in files.items() if not path.exists()], progress)
        if packs:
            # A listing has no digest of its own: the files that it leads to have.
            integrity.check(self._blobs, digest)

    def bring_manifest(self, digest: str) -> None:
        """Fetch which files an object has, where it is a directory."""
        manifest, listing = self._blobs.manifest(digest), self._blobs.listing(digest)
        if self._remote is None or manifest.exists() or not self._holds(manifest):
            return
        text = self._remote.read(self._blobs.name(manifest))
        if text is None or manifest_digest(text) != digest:
            raise self._spoiled(manifest)
        if self._holds(listing):
            packs = self._remote.read(self._blobs.name(listing))
            if packs is None:
                raise self._spoiled(listing)
            self._blobs.write([packs], listing)
        self._blobs.write([text], manifest)

    def only_of(self, gone: Iterable[str], keep: Iterable[str]) -> set[str]:
        """Return the names of files that objects at the remote need, and none of those that are kept."""
        going = {digest for digest in gone if self.can(digest)}
        if not going:
            return set()
        names = {name for digest in going for name in self._named(digest)}
        return names - {name for digest in keep for name in self._named(digest)}

    def _named(self, digest: str) -> list[str]:
        was_here = self._blobs.manifest(digest).exists()
        self.bring_manifest(digest)
        names = [self._blobs.name(path) for path in self._blobs.needs(digest)]
        if not was_here:  # It was asked for its names alone.
            self._blobs.listing(digest).unlink(missing_ok=True)
            self._blobs.manifest(digest).unlink(missing_ok=True)
        return names

    def _bring(self, files: Sequence[tuple[Path, str]], progress: Progress) -> None:
        assert self._remote is not None
        self._blobs.temporary.mkdir(parents=True, exist_ok=True)
        arriving = Path(tempfile.mkdtemp(dir=self._blobs.temporary))
        try:
            parts = [(path, digest, arriving / str(n)) for n, (path, digest) in enumerate(files)]
            self._remote.fetch([(self._blobs.name(path), part) for path, _, part in parts], progress)
            for path, digest, part in parts:
                if hash_file(part, part.stat().st_size) != digest:
                    raise self._spoiled(path)
                part.chmod(0o444)
                path.parent.mkdir(parents=True, exist_ok=True)
                os.replace(part, path)
        finally:
            shutil.rmtree(arriving, ignore_errors=True)

    def _holds(self, path: Path) -> bool:
        return self._remote is not None and self._remote.holds(self._blobs.name(path))

    def _spoiled(self, path: Path) -> Corrupt:
        assert self._remote is not None
        return Corrupt(
            f"{self._blobs.name(path)} of the remote {self._remote.name} does not match its digest; delete it there,"
            " and push from a registry that has it"
        )
