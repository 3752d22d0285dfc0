"""The cache of file digests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from mlm_registry import digests
from mlm_registry.digests import DigestCache
from mlm_registry.trees import Found, plain_files


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that was really read, and every file counts as settled."""
    read: list[Path] = []
    hash_file = digests.hash_file

    def counted(path: str | Path, size: int) -> str:
        read.append(Path(path))
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
    (found,) = digests_of(cache, path, [("", str(path), path.stat())])
    return found


def digests_of(cache: DigestCache, root: Path, files: list[Found]) -> list[str]:
    look = cache.look(root, files, time.time_ns())
    found = cache.digests(look, look.files)
    cache.remember(look, found, "whole")
    return found


def test_an_unchanged_file_is_read_once(cache: DigestCache, hashed: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")

    assert blake3(b"1").hexdigest() == digest(cache, path) == digest(cache, path)
    cache.close()
    assert blake3(b"1").hexdigest() == digest(DigestCache(tmp_path / "digests.db"), path)
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


def test_only_the_changed_file_of_a_folder_is_read_again(
    cache: DigestCache, hashed: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    for name in "xyz":
        (folder / name).write_text(name)
    before = digests_of(cache, folder, plain_files(folder))
    hashed.clear()

    (folder / "y").write_text("changed")
    (folder / "new").write_text("new")
    after = digests_of(cache, folder, plain_files(folder))

    assert hashed == [folder / "new", folder / "y"]
    assert after == [blake3(text.encode()).hexdigest() for text in ("new", "x", "changed", "z")]
    assert (before[0], before[2]) == (after[1], after[3])


def test_what_was_made_of_a_folder_is_recalled_until_something_changes(
    cache: DigestCache, hashed: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "x").write_text("x")
    digests_of(cache, folder, plain_files(folder))

    assert cache.look(folder, plain_files(folder), time.time_ns()).whole == "whole"
    (folder / "x").rename(folder / "y")
    assert cache.look(folder, plain_files(folder), time.time_ns()).whole == ""


def test_inodes_beyond_63_bits_are_remembered(cache: DigestCache, hashed: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")
    real = path.stat()
    ns = {"st_mtime_ns": real.st_mtime_ns, "st_ctime_ns": real.st_ctime_ns}
    stat = os.stat_result([*real[:1], 2**64 - 7, *real[2:]], ns)

    for _ in range(2):
        assert digests_of(cache, path, [("", str(path), stat)]) == [blake3(b"1").hexdigest()]

    assert hashed == [path]
