"""Bring objects here from a remote when they are first needed: whole and verified, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

from mlm_registry.blobs import Blobs, loose
from mlm_registry.digests import hash_file
from mlm_registry.errors import Corrupt, NotFound
from mlm_registry.packs import Pack, read_listing
from mlm_registry.progress import Progress, silent
from mlm_registry.remotes import Remote
from mlm_registry.trees import Entry, manifest_digest, read_manifest


class Fetching:
    """Objects that lie at a remote; without a remote there are none."""

    def __init__(self, blobs: Blobs, remote: Remote | None) -> None:
        self._blobs = blobs
        self._remote = remote

    def can(self, digest: str) -> bool:
        """Say whether the remote had an object when it was last seen."""
        if self._remote is None:
            return False
        try:
            return self._holds(self._blobs.blob(digest)) or self._holds(self._blobs.manifest(digest))
        except NotFound:
            return False

    def bring(self, digest: str, progress: Progress = silent) -> None:
        """Fetch what is missing of an object.

        Raises:
            Corrupt: What the remote has does not match its digest; nothing of it is kept.
            NotFound: The remote does not have it any more.
        """
        if not self.can(digest):
            return
        with self._arriving() as folder:
            if self._holds(self._blobs.manifest(digest)):
                self._bring_directory(digest, folder, progress)
            else:
                place = self._blobs.blob(digest)
                self._place(self._arrived([(place, digest)], folder, progress))

    def bring_manifest(self, digest: str) -> None:
        """Fetch the names of a directory's files; the files stay where they are."""
        manifest = self._blobs.manifest(digest)
        if not manifest.exists() and self._holds(manifest):
            with self._arriving() as folder:
                self._place([self._manifest(digest, folder)])

    def names(self, digest: str) -> list[str]:
        """List the names of the files of an object, wherever it is; of one that is nowhere, what its own would be."""
        self.bring_manifest(digest)
        listing = self._blobs.listing(digest)
        if self._holds(listing) and not listing.exists():
            with self._arriving() as folder:
                self._place([self._listing(digest, self._blobs.entries(digest), folder)[0]])
        return [self._blobs.name(path) for path in self._blobs.needs(digest)]

    def forget(self, digests: Iterable[str], keep: Iterable[Path]) -> None:
        """Take objects for gone from the remote, but for files that are kept: nobody shall fetch them again."""
        if self._remote is None:
            return
        blobs = self._blobs
        going = {path for d in digests for path in (blobs.blob(d), blobs.manifest(d), blobs.listing(d))} - set(keep)
        names = {blobs.name(path) for path in going} & self._remote.seen.files.keys()
        if names:
            self._remote.remember({k: size for k, size in self._remote.seen.files.items() if k not in names})

    def _bring_directory(self, digest: str, folder: Path, progress: Progress) -> None:
        """Fetch files and manifest; a listing has no digest of its own, so what its packs hold is hashed instead."""
        text = self._manifest(digest, folder)
        entries = read_manifest(text[0].read_bytes(), digest)
        listed, packs = (
            self._listing(digest, entries, folder) if self._holds(self._blobs.listing(digest)) else (None, [])
        )
        wanted = {self._blobs.blob(entry.digest): entry.digest for entry in loose(entries, packs)}
        wanted |= {self._blobs.blob(pack.digest): pack.digest for pack in packs}
        missing = [(path, named) for path, named in wanted.items() if not path.exists()]
        arrived = self._arrived(missing, folder, progress)
        here = {place: part for part, place in arrived}
        for pack in packs:
            place = self._blobs.blob(pack.digest)
            for entry, content in pack.files(here.get(place, place).read_bytes()):
                if blake3(content).hexdigest() != entry.digest:
                    raise self._spoiled(self._blobs.listing(digest))
        self._place([*arrived, *([listed] if listed else []), text])

    def _manifest(self, digest: str, folder: Path) -> tuple[Path, Path]:
        place = self._blobs.manifest(digest)
        part = self._part(place, folder)
        if manifest_digest(part.read_bytes()) != digest:
            raise self._spoiled(place)
        return part, place

    def _listing(self, digest: str, entries: Sequence[Entry], folder: Path) -> tuple[tuple[Path, Path], list[Pack]]:
        place = self._blobs.listing(digest)
        part = self._part(place, folder)
        return (part, place), read_listing(part.read_bytes(), entries, digest)

    def _part(self, place: Path, folder: Path) -> Path:
        """Return a copy of a small file: of the one that is here, or of the remote's."""
        assert self._remote is not None
        part = folder / place.name
        content = place.read_bytes() if place.exists() else self._remote.read(self._blobs.name(place))
        if content is None:
            raise NotFound(f"the remote {self._remote.name} has no {self._blobs.name(place)} any more: pull again")
        part.write_bytes(content)
        return part

    def _arrived(self, files: Sequence[tuple[Path, str]], folder: Path, progress: Progress) -> list[tuple[Path, Path]]:
        """Fetch files, hold each against its digest, and return (where it is, where it belongs)."""
        assert self._remote is not None
        parts = [(folder / f"{number}", place, digest) for number, (place, digest) in enumerate(files)]
        self._remote.fetch([(self._blobs.name(place), part) for part, place, _ in parts], progress)
        for part, place, digest in parts:
            if hash_file(part, part.stat().st_size) != digest:
                raise self._spoiled(place)
        return [(part, place) for part, place, _ in parts]

    @staticmethod
    def _place(arrived: Iterable[tuple[Path, Path]]) -> None:
        """Put files where they belong, in their order, each on the disk before it has its name."""
        for part, place in arrived:
            if place.exists():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            part.chmod(0o444)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(part, place)

    @contextmanager
    def _arriving(self) -> Iterator[Path]:
        self._blobs.arriving.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._blobs.arriving))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _holds(self, path: Path) -> bool:
        return self._remote is not None and self._remote.holds(self._blobs.name(path))

    def _spoiled(self, path: Path) -> Corrupt:
        assert self._remote is not None
        return Corrupt(
            f"{self._blobs.name(path)} of the remote {self._remote.name} does not match its digest; delete it there,"
            " and push from a registry that has it"
        )
