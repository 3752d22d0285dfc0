"""Push a registry to a remote, and pull it from there: one history, whose objects come when they are needed.

A remote holds objects by digest, one snapshot of the registry, and a pointer to it. The pointer moves last, so a push
that is cut short has changed nothing. Histories are never merged: who pushes must have what was pushed before, and who
pulls must have recorded nothing since.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from mlm.auditing import verify
from mlm.collecting import living_digests
from mlm.context import Progress, silent
from mlm.errors import MlmError
from mlm.ledger import FILES, not_honoured, write_secret
from mlm.locking import alone
from mlm.signing import FOLDER as SIGNATURES
from mlm_registry import Registry, Remote
from mlm_registry.digests import hash_file
from mlm_registry.snapshots import restore, snapshot, state_of

POINTER = "registry.json"
_SNAPSHOTS = "snapshots"
_SIGNATURE = re.compile(rf"{SIGNATURES}/[0-9a-f]{{64}}/[0-9a-f]{{64}}\.json")


@frozen
class Pushed:
    """What a push did."""

    remote: str
    state: str
    """Digest of all rows; two registries of one state are equal."""
    files: int
    bytes: int
    """Of objects that the remote did not have."""
    deleted: int
    """Files of erased objects that the remote does not have any more."""


@frozen
class Pulled:
    """What a pull did."""

    remote: str
    state: str
    changed: bool
    """Whether the registry was behind the remote."""
    objects: int
    """Objects fetched now; all others come when they are needed."""


@frozen
class _Pointer:
    state: str
    snapshot: str
    """BLAKE3 of the snapshot's bytes, which is its name."""
    by: str
    at: float


def push(registry: Registry, *, by: str, progress: Progress = silent) -> Pushed:
    """Copy to the remote what it lacks, and make this registry's state its newest.

    Raises:
        MlmError: There is no remote, somebody else has pushed since the last pull, or a run is at work.
        RegistryError: The remote cannot be reached or written.
    """
    remote = _remote(registry)
    with alone(registry.folder), _snapshot(registry) as (file, state):
        if broken := not_honoured(registry):
            raise MlmError(broken)
        _behind_nobody(remote, state)
        there = remote.files("objects")
        remote.remember(remote.seen.state, there)
        named = _stored(registry)
        missing = sorted(name for name, path in named.items() if there.get(name) != path.stat().st_size)
        sizes = {name: named[name].stat().st_size for name in missing}
        remote.send([(named[name], name) for name in missing], _counted(progress, sum(sizes.values())))
        # Sending may have taken hours.
        if _behind_nobody(remote, state) != state:
            _publish(remote, registry, file, state, by)
        gone = _erased(registry, there)
        remote.remove(gone)
        remote.remember(state, {name: size for name, size in (there | sizes).items() if name not in gone})
    return Pushed(remote.name, state, len(missing), sum(sizes.values()), len(gone))


def pull(registry: Registry, *, everything: bool = False, progress: Progress = silent) -> Pulled:
    """Make this registry equal to the remote's newest state; objects are fetched when they are first needed.

    Args:
        everything: Fetch all objects now.
        progress: Hears bytes.

    Raises:
        MlmError: There is no remote or nothing was pushed there, or this registry has recorded something since.
        Corrupt: What the remote has does not match its digest, or was touched behind the registry's back.
    """
    remote = _remote(registry)
    with alone(registry.folder), _snapshot(registry) as (_, state):
        pointer = _pointer(remote)
        if pointer is None:
            raise MlmError(f"nothing was pushed to {remote.name}: `mlm push` where the registry is")
        changed = pointer.state != state
        if changed and state != remote.seen.state and not _is_empty(registry):
            raise MlmError(
                f"this registry has recorded what {remote.name} lacks, and the other way round ({_pushed(pointer)}):"
                " histories are not merged. Move one of them away"
            )
        if changed:
            _take(registry, remote, pointer)
        remote.remember(pointer.state, remote.files("objects"))
        fetched = _fetched(registry, progress) if everything else 0
    return Pulled(remote.name, pointer.state, changed, fetched)


def _remote(registry: Registry) -> Remote:
    if registry.remote is None:
        raise MlmError('there is no remote: say where in mlm.toml, [registry] remote = "s3://bucket/models"')
    return registry.remote


def _pointer(remote: Remote) -> _Pointer | None:
    content = remote.read(POINTER)
    if content is None:
        return None
    try:
        return _Pointer(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise MlmError(
            f"{POINTER} of {remote.name} is not readable ({error}): push again from a whole registry"
        ) from error


def _behind_nobody(remote: Remote, state: str) -> str:
    """Return the remote's state; MlmError where somebody else has pushed what this registry lacks."""
    pointer = _pointer(remote)
    if pointer and pointer.state not in (state, remote.seen.state):
        raise MlmError(
            f"{remote.name} has what this registry lacks ({_pushed(pointer)}): `mlm pull` first. Where both were"
            " changed, one must be recorded again: histories are not merged"
        )
    return pointer.state if pointer else ""


def _pushed(pointer: _Pointer) -> str:
    return f"pushed {time.strftime('%Y-%m-%d %H:%M', time.localtime(pointer.at))} by {pointer.by}"


@contextmanager
def _snapshot(registry: Registry) -> Iterator[tuple[Path, str]]:
    folder = registry.folder / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        file = place / "registry.db"
        yield file, snapshot(registry.database, file)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _publish(remote: Remote, registry: Registry, file: Path, state: str, by: str) -> None:
    """Send the snapshot and the ledger of erasures, move the pointer, and take away older snapshots."""
    older = list(remote.files(_SNAPSHOTS))
    digest = hash_file(file, file.stat().st_size)
    newest = f"{_SNAPSHOTS}/{digest}.db"
    ledger = [path for name in FILES if (path := registry.folder / name).exists()]
    vouching = list((registry.folder / SIGNATURES).glob("*/*.json"))
    beside = [(path, path.relative_to(registry.folder).as_posix()) for path in (*ledger, *vouching)]
    remote.send([(file, newest), *beside])
    remote.write(POINTER, json.dumps(asdict(_Pointer(state, digest, by, time.time()))).encode())
    remote.remove([old for old in older if old != newest])


def _stored(registry: Registry) -> dict[str, Path]:
    """Return the files of all living objects that are here, by name."""
    objects = registry.objects
    here = [digest for digest in living_digests(registry) if objects.is_here(digest)]
    return {objects.name(path): path for digest in here for path in objects.files(digest)}


def _erased(registry: Registry, there: dict[str, int]) -> list[str]:
    """List the remote's files that only erased objects need."""
    living = living_digests(registry)
    buried = {node.digest for node in registry.nodes_of(registry.erasures.buried())} - living
    return sorted(registry.objects.spare_copies(buried, living) & there.keys())


def _take(registry: Registry, remote: Remote, pointer: _Pointer) -> None:
    """Put the remote's snapshot in the place of this registry's rows, once it was found whole."""
    with tempfile.TemporaryDirectory(dir=registry.folder / "tmp") as place:
        file = Path(place) / "registry.db"
        remote.fetch([(f"{_SNAPSHOTS}/{pointer.snapshot}.db", file)])
        if hash_file(file, file.stat().st_size) != pointer.snapshot or state_of(file) != pointer.state:
            raise MlmError(f"the snapshot of {remote.name} does not match its digest: push again from a whole registry")
        with Registry.open(Path(place)) as candidate:
            found = verify(candidate)
        if not found.ok:
            raise MlmError(f"the registry of {remote.name} was touched: {found.problems[0]}")
        for name in FILES:
            if (content := remote.read(name)) is not None:
                write_secret(registry.folder / name, content)
        # Names come from elsewhere: one that is no signature's could lead out of the folder.
        names = filter(_SIGNATURE.fullmatch, remote.files(SIGNATURES))
        signatures = [(name, registry.folder / name) for name in names]
        for _, path in signatures:
            path.parent.mkdir(parents=True, exist_ok=True)
        remote.fetch(signatures)
        restore(registry.database, file)


def _is_empty(registry: Registry) -> bool:
    return not registry.executions(limit=1) and not registry.audit.events(limit=1)


def _fetched(registry: Registry, progress: Progress) -> int:
    away = [digest for digest in sorted(living_digests(registry)) if not registry.objects.is_here(digest)]
    total = sum({node.digest: node.size_bytes for node in registry.nodes() if node.digest in away}.values())
    counted = _counted(progress, total)
    for digest in away:
        registry.objects.fetch(digest, counted)
    return len(away)


def _counted(progress: Progress, total: int) -> Any:
    """Turn bytes moved into progress of all."""
    done = 0

    def moved(count: int) -> None:
        nonlocal done
        done += count
        progress(done, float(max(total, done)), f"{done / 1e6:.1f} of {max(total, done) / 1e6:.1f} MB")

    return moved
