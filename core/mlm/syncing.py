"""Push a registry to a remote, and pull it from there: one history, whose objects come when they are needed.

A remote holds objects by digest, a snapshot of the registry, and a pointer to it that moves last. Histories are never
merged: what is pushed must go through all that was pushed before, and what is pulled through all that is here.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from mlm.auditing import verify
from mlm.collecting import living_digests
from mlm.context import Progress, silent
from mlm.erasing import honour
from mlm.errors import MlmError
from mlm.honouring import LINES, not_honoured
from mlm.ledger import FILES, KEY, merge
from mlm.locking import alone
from mlm.signing import FOLDER as SIGNATURES
from mlm_registry import Registry, Remote
from mlm_registry.digests import hash_file
from mlm_registry.histories import Head, goes_through, head, snapshot, take_over

POINTER = "registry.json"
_SNAPSHOTS = "snapshots"
_SIGNATURE = re.compile(rf"{SIGNATURES}/[0-9a-f]{{64}}/([0-9a-f]{{64}})\.json")
_MEND = f"delete its {POINTER}, and push from the registry that is newest"


@frozen
class Pushed:
    """What a push did."""

    remote: str
    files: int
    bytes: int
    """Of objects that the remote did not have."""
    deleted: int
    """Files that only erased objects needed; the remote does not have them any more."""


@frozen
class Pulled:
    """What a pull did."""

    remote: str
    changed: bool
    """Whether the registry was behind the remote."""
    objects: int
    """Objects fetched now; all others come when they are needed."""
    kept: Path | None
    """A copy of this registry's own rows, where they were given up."""


@frozen
class _Pointer:
    head: Head
    snapshot: str
    """BLAKE3 of the snapshot's bytes, which is its name."""
    by: str
    at: float = field(factory=time.time)

    @property
    def file(self) -> str:
        return f"{_SNAPSHOTS}/{self.snapshot}.db"

    @property
    def told(self) -> str:
        return f"pushed {time.strftime('%Y-%m-%d %H:%M', time.localtime(self.at))} by {self.by}"


def push(registry: Registry, *, by: str, progress: Progress = silent) -> Pushed:
    """Copy to the remote what it lacks, and let it point at all that was recorded here.

    Raises:
        MlmError: There is no remote, it has what this registry lacks, or a run is at work.
        RegistryError: The remote cannot be reached or written.
    """
    remote = _remote(registry)
    with alone(registry.folder), _snapshot(registry) as (file, here):
        _merge_ledger(registry, remote)
        if broken := not_honoured(registry):
            raise MlmError(broken)
        _has_all_of(registry, remote)
        sent = _send_objects(registry, remote, progress)
        # That may have taken hours, and somebody may have deleted or pushed meanwhile.
        sent += _send_objects(registry, remote, silent)
        pointer = _has_all_of(registry, remote)
        if pointer is None or pointer.head != here or pointer.file not in remote.files(_SNAPSHOTS):
            _publish(registry, remote, _Pointer(here, hash_file(file, file.stat().st_size), by), file, pointer)
        gone = _erased(registry, remote)
        remote.remove(gone)
        remote.remember({name: size for name, size in remote.seen.files.items() if name not in gone})
    return Pushed(remote.name, len(sent), sum(sent), len(gone))


def pull(registry: Registry, *, everything: bool = False, replace: bool = False, progress: Progress = silent) -> Pulled:
    """Take over what was pushed to the remote; objects are fetched when they are first needed.

    Args:
        everything: Fetch all objects now.
        replace: Give up what was recorded here alone; a copy of the rows is kept.
        progress: Hears bytes.

    Raises:
        MlmError: There is no remote or nothing was pushed there, or this registry has recorded what the remote lacks.
        Corrupt: What the remote has does not match its digest, or was touched behind the registry's back.
    """
    remote = _remote(registry)
    kept = None
    with alone(registry.folder):
        pointer = _pointer(remote)
        if pointer is None:
            raise MlmError(f"nothing was pushed to {remote.name}: `mlm push` where the registry is")
        with registry.database.snapshot():
            changed = not goes_through(registry.database.connection, pointer.head)
        if changed:
            kept = _take(registry, remote, pointer, replace)
        _merge_ledger(registry, remote)
        _take_signatures(registry, remote)
        remote.remember(remote.files("objects"))
        honour(registry)
        fetched = _fetched(registry, progress) if everything else 0
    return Pulled(remote.name, changed, fetched, kept)


def _remote(registry: Registry) -> Remote:
    if registry.remote is None:
        raise MlmError('there is no remote: say where in mlm.toml, [registry] remote = "s3://bucket/models"')
    return registry.remote


def _pointer(remote: Remote) -> _Pointer | None:
    content = remote.read(POINTER)
    if content is None:
        return None
    try:
        told = json.loads(content)
        pointer = _Pointer(**{**told, "head": Head(**told["head"])})
    except (ValueError, TypeError, KeyError) as error:
        raise MlmError(f"the {POINTER} of {remote.name} is not readable ({error}): {_MEND}") from error
    if not re.fullmatch("[0-9a-f]{64}", pointer.snapshot):
        raise MlmError(f"the {POINTER} of {remote.name} names no snapshot: {_MEND}")
    return pointer


def _has_all_of(registry: Registry, remote: Remote) -> _Pointer | None:
    """Return the remote's pointer; MlmError where it points at what this registry lacks."""
    pointer = _pointer(remote)
    if pointer and not goes_through(registry.database.connection, pointer.head):
        raise MlmError(f"{remote.name} has what this registry lacks ({pointer.told}): `mlm pull` first")
    return pointer


@contextmanager
def _snapshot(registry: Registry) -> Iterator[tuple[Path, Head]]:
    with _place(registry) as place:
        file = place / "registry.db"
        yield file, snapshot(registry.database, file)


@contextmanager
def _place(registry: Registry) -> Iterator[Path]:
    folder = registry.folder / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _send_objects(registry: Registry, remote: Remote, progress: Progress) -> list[int]:
    """Send the files of all living objects that are here and not there, and return their sizes."""
    objects, there = registry.objects, remote.files("objects")
    here = [digest for digest in living_digests(registry) if objects.is_here(digest)]
    sizes = {path: path.stat().st_size for path in {path for digest in here for path in objects.files(digest)}}
    missing = sorted(path for path, size in sizes.items() if there.get(objects.name(path)) != size)
    total = sum(sizes[path] for path in missing)
    remote.send([(path, objects.name(path)) for path in missing], _counted(progress, total))
    remote.remember({**there, **{objects.name(path): sizes[path] for path in missing}})
    return [sizes[path] for path in missing]


def _publish(registry: Registry, remote: Remote, new: _Pointer, file: Path, old: _Pointer | None) -> None:
    """Send the snapshot and what belongs to it, move the pointer, and take away the snapshot that it replaces."""
    beside = [name for name in FILES if (registry.folder / name).exists()]
    beside += [path.relative_to(registry.folder).as_posix() for path in (registry.folder / SIGNATURES).glob("*/*.json")]
    remote.send([(file, new.file), *((registry.folder / name, name) for name in beside)])
    for name in FILES:
        if name in beside:
            remote.protect(name)
    remote.write(POINTER, json.dumps(asdict(new)).encode())
    if _pointer(remote) != new:
        raise MlmError(f"somebody pushed to {remote.name} at the same moment: pull, and push again")
    if old and old.file != new.file and old.file in remote.files(_SNAPSHOTS):
        remote.remove([old.file])


def _erased(registry: Registry, remote: Remote) -> list[str]:
    """List the remote's files that no living object needs, where anything was erased."""
    if not registry.erasures.buried():
        return []
    needed = {name for digest in living_digests(registry) for name in registry.objects.names(digest)}
    return sorted(remote.files("objects").keys() - needed)


def _take(registry: Registry, remote: Remote, pointer: _Pointer, replace: bool) -> Path | None:
    """Put the remote's snapshot in the place of this registry's rows, once it was found whole and to have them all."""
    with _place(registry) as place:
        file = place / "registry.db"
        remote.fetch([(pointer.file, file)])
        if hash_file(file, file.stat().st_size) != pointer.snapshot:
            raise MlmError(f"the snapshot of {remote.name} does not match its digest: {_MEND}")
        with Registry.open(place) as candidate:
            found = verify(candidate, exchanges=False)
            if not found.ok or head(candidate.database.connection) != pointer.head:
                problem = found.problems[0] if found.problems else f"it does not end where {POINTER} says"
                raise MlmError(f"the registry of {remote.name} was touched: {problem}")
            here = head(registry.database.connection)
            own = not goes_through(candidate.database.connection, here)
            others = candidate.anchors.firsts() - registry.anchors.firsts()
        if own and not replace:
            raise MlmError(
                f"this registry has recorded what {remote.name} lacks, and the other way round ({pointer.told}):"
                " histories are not merged. `mlm pull --replace` gives up what was recorded here, and keeps a copy"
            )
        kept = registry.folder / f"replaced-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.db" if own else None
        if kept:
            snapshot(registry.database, kept)
        registry.anchors.leave_to_others(others)
        take_over(registry.database, file, here)
    return kept


def _merge_ledger(registry: Registry, remote: Remote) -> None:
    """Honour here what was erased elsewhere."""
    lines, key = remote.read(LINES), remote.read(KEY)
    if lines is not None and key is not None:
        merge(registry.folder, lines, key)


def _take_signatures(registry: Registry, remote: Remote) -> None:
    """Take over bundles that are what their name says; names come from elsewhere, and may lead anywhere."""
    for name in remote.files(SIGNATURES):
        found, path = _SIGNATURE.fullmatch(name), registry.folder / name
        if not found or path.exists():
            continue
        content = remote.read(name)
        if content is not None and hashlib.sha256(content).hexdigest() == found[1]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _fetched(registry: Registry, progress: Progress) -> int:
    away = {n.digest: n for n in registry.nodes() if n.digest in living_digests(registry)}
    away = {digest: node for digest, node in away.items() if not registry.objects.is_here(digest)}
    counted = _counted(progress, sum(node.size_bytes for node in away.values()))
    for digest in away:
        registry.objects.fetch(digest, counted)
    lost = [node.ref for digest, node in away.items() if not registry.objects.is_here(digest)]
    if lost:
        raise MlmError(f"the bytes of {', '.join(lost)} are neither here nor at the remote")
    return len(away)


def _counted(progress: Progress, total: int) -> Any:
    """Turn bytes moved into progress of all."""
    done = 0

    def moved(count: int) -> None:
        nonlocal done
        done += count
        progress(done, float(max(total, done)), f"{done / 1e6:.1f} of {max(total, done) / 1e6:.1f} MB")

    return moved
