"""The cache of file digests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from mlm_registry import digests
from mlm_registry.digests import DigestCache


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that was really read, and every file counts as settled."""
    read: list[Path] = []
    hash_file = digests.hash_file

    def counted(path: Path, size: int) -> str:
        read.append(path)
        return hash_file(path, size)

    monkeypatch.setattr(digests, "hash_file", counted)
    monkeypatch.setattr(digests, "SETTLED_NS", -1)
    return read


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[DigestCache]:
    opened = DigestCache(tmp_path / "digests.db")
    yield opened
    opened.close()


def digest(cache: DigestCache, path: Path) -> str:
    return cache.digest(path, path.stat())


def test_an_unchanged_file_is_read_once(cache: DigestCache, hashed: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")

    assert blake3(b"1").hexdigest() == digest(cache, path) == digest(cache, path)
    cache.close()
    assert blake3(b"1").hexdigest() == DigestCache(tmp_path / "digests.db").digest(path, path.stat())
    assert [path] == hashed


def test_a_change_that_restores_size_and_time_is_still_seen(
    cache: DigestCache, hashed: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")
    before = path.stat()
    digest(cache, path)

    while path.stat().st_ctime_ns == before.st_ctime_ns:
        path.write_bytes(b"2")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert blake3(b"2").hexdigest() == digest(cache, path)


def test_a_file_that_changed_just_now_is_not_remembered(
    cache: DigestCache, hashed: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "SETTLED_NS", 10**18)
    path = tmp_path / "x"
    path.write_bytes(b"1")

    digest(cache, path)
    digest(cache, path)

    assert [path, path] == hashed


def test_a_broken_cache_costs_time_only(hashed: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "digests.db"
    file.write_bytes(b"garbage" * 1000)
    path = tmp_path / "x"
    path.write_bytes(b"1")

    for _ in range(2):
        cache = DigestCache(file)
        assert blake3(b"1").hexdigest() == digest(cache, path)
        cache.close()


def test_a_folder_asks_only_for_its_own_files(cache: DigestCache, hashed: list[Path], tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a/x", "a/y", "ab/x")]
    for path in files:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(path.name.encode())

    for _ in range(2):
        found = cache.digests(tmp_path / "a", [(path, path.stat()) for path in files[:2]])
        assert [blake3(b"x").hexdigest(), blake3(b"y").hexdigest()] == found

    assert files[:2] == hashed
