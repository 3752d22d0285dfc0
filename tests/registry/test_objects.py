"""Content-addressed bytes."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_registry import Corrupt, NotFound, Objects, RegistryError

Files = dict[str, bytes]
names = st.text("abc.", min_size=1, max_size=3).filter(lambda n: n.strip(".")).map(lambda n: f"f{n}")
paths = st.tuples(st.sampled_from(["", "d/", "d/e/", "x/"]), names).map("".join)
trees = st.dictionaries(paths, st.binary(max_size=50), max_size=6)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    (tmp_path / ".mlm").mkdir()
    return Objects(tmp_path / ".mlm")


def write(root: Path, files: Files) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def read(root: Path) -> Files:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def leftovers(objects: Objects) -> list[Path]:
    return list(objects._blobs.temporary.glob("*"))


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=3000))
def test_a_file_comes_back_as_it_was_under_the_digest_of_its_bytes(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        objects = Objects(Path(folder))
        source = Path(folder) / "source"
        source.write_bytes(content)

        digest = objects.put(source)

        assert blake3(content).hexdigest() == digest == objects.put_bytes(content) == objects.digest(source)
        assert content == objects.read(digest) == objects.path(digest).read_bytes()
        assert len(content) == objects.size(digest)
        assert objects.verify(digest)
        objects.close()


@settings(max_examples=40, deadline=None)
@given(files=trees)
def test_a_directory_comes_back_as_it_was(files: Files) -> None:
    with TemporaryDirectory() as folder:
        objects = Objects(Path(folder) / ".mlm")
        root = write(Path(folder) / "source", files)

        digest = objects.put(root)

        assert digest == objects.digest(root)
        assert files == read(objects.path(digest))
        assert sum(map(len, files.values())) == objects.size(digest)
        assert objects.has(digest)
        assert objects.verify(digest)
        objects.close()


@settings(max_examples=40, deadline=None)
@given(a=trees, b=trees)
def test_digests_are_equal_exactly_for_equal_directories(a: Files, b: Files) -> None:
    with TemporaryDirectory() as folder:
        objects = Objects(Path(folder) / ".mlm")

        digests = {objects.put(write(Path(folder) / name, files)) for name, files in (("a", a), ("b", b))}

        assert (a == b) == (len(digests) == 1)
        objects.close()


def test_an_executable_file_stays_one_and_makes_another_directory(objects: Objects, tmp_path: Path) -> None:
    plain, runnable = (write(tmp_path / name, {"run": b"#!/bin/sh", "data": b"1"}) for name in "ab")
    (runnable / "run").chmod(0o755)

    laid_out = objects.path(objects.put(runnable))

    assert os.access(laid_out / "run", os.X_OK)
    assert objects.put(plain) != objects.put(runnable)
    assert objects.path(objects.put(plain)).joinpath("run").stat().st_mode & 0o777 == 0o444


def test_a_file_that_holds_a_directory_s_manifest_is_another_object(objects: Objects, tmp_path: Path) -> None:
    digest = objects.put(write(tmp_path / "a", {"x": b"1"}))
    [manifest] = objects._blobs.objects.glob("??/*.tree")

    assert digest != objects.put(manifest)


def test_equal_bytes_are_stored_once_and_linked(objects: Objects, tmp_path: Path) -> None:
    digest = objects.put(write(tmp_path / "a", {"x": b"same", "y/z": b"same"}))

    [stored] = [path for path in objects._blobs.objects.glob("??/*") if path.suffix != ".tree"]
    assert stored.samefile(objects.path(digest) / "x")
    assert stored.samefile(objects.path(digest) / "y" / "z")
    assert stored.stat().st_mode & 0o222 == 0


def test_what_is_no_plain_file_is_refused(objects: Objects, tmp_path: Path) -> None:
    root = write(tmp_path / "a", {"x": b"1"})
    (root / "link").symlink_to(root / "x")
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(RegistryError, match="link is a symbolic link"):
        objects.put(root)
    with pytest.raises(RegistryError, match="neither a file nor a directory"):
        objects.put(tmp_path / "pipe")
    with pytest.raises(NotFound, match="does not exist"):
        objects.put(tmp_path / "none")


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out", "", "a//b"])
def test_a_forged_manifest_cannot_write_outside(objects: Objects, path: str) -> None:
    target = objects._blobs.manifest("0" * 64)
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps([[path, objects.put_bytes(b"1"), 1, False]]))

    with pytest.raises(Corrupt, match="outside its own directory"):
        objects.path("0" * 64)


@pytest.mark.parametrize("digest", ["", "abc", "../../x", "0" * 64])
def test_an_unknown_digest_is_not_there(objects: Objects, digest: str) -> None:
    assert not objects.has(digest)
    assert not objects.verify(digest)
    for ask in (objects.path, objects.read, objects.size, objects.check):
        with pytest.raises(NotFound):
            ask(digest)


def tamper(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def test_changed_bytes_are_found_and_named(objects: Objects, tmp_path: Path) -> None:
    digest = objects.put(write(tmp_path / "a", {"w.safetensors": b"weights"}))
    tamper(objects.path(digest) / "w.safetensors", b"poisons")

    assert not objects.verify(digest)
    with pytest.raises(Corrupt, match=r"w\.safetensors"):
        objects.check(digest)


@pytest.mark.parametrize("name", ["w.safetensors", "extra.py"])
def test_a_changed_laid_out_directory_is_found_and_named(objects: Objects, tmp_path: Path, name: str) -> None:
    digest = objects.put(write(tmp_path / "a", {"w.safetensors": b"weights"}))
    (tmp_path / "new").write_bytes(b"poison")
    (tmp_path / "new").replace(objects.path(digest) / name)

    with pytest.raises(Corrupt, match=name):
        objects.check(digest)


def test_a_directory_with_a_missing_file_is_not_here(objects: Objects, tmp_path: Path) -> None:
    digest = objects.put(write(tmp_path / "a", {"x": b"1", "y": b"2"}))
    objects._blobs.blob(blake3(b"2").hexdigest()).unlink()

    assert not objects.has(digest)
    with pytest.raises(Corrupt, match="missing"):
        objects.check(digest)


def test_a_full_disk_leaves_nothing_half_written(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "a", {"x": b"1" * 100, "y": b"2" * 100})
    writes = iter([100])

    def write_until_full(handle: int, chunk: bytes) -> int:
        if next(writes, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(chunk)

    monkeypatch.setattr("mlm_registry.blobs.os.write", write_until_full)
    with pytest.raises(RegistryError, match="no space left; free some space"):
        objects.put(root)

    assert leftovers(objects) == []
    assert not objects.has(objects.digest(root))


def test_a_directory_that_cannot_be_laid_out_is_not_half_there(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = objects.put(write(tmp_path / "a", {"x": b"1", "y": b"2"}))

    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("mlm_registry.blobs.os.link", no_links)
        with pytest.raises(RegistryError, match="no space left"):
            objects.path(digest)

    assert leftovers(objects) == []
    assert read(objects.path(digest)) == {"x": b"1", "y": b"2"}


def test_a_file_system_without_links_gets_copies(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("mlm_registry.blobs.os.link", no_links)
    digest = objects.put(write(tmp_path / "a", {"x": b"1"}))

    assert read(objects.path(digest)) == {"x": b"1"}
    assert objects.verify(digest)


def test_a_sweep_keeps_what_is_needed(objects: Objects, tmp_path: Path) -> None:
    kept = objects.put(write(tmp_path / "a", {"x": b"shared", "y": b"kept"}))
    dropped = objects.put(write(tmp_path / "b", {"x": b"shared", "y": b"dropped"}))
    for digest in (kept, dropped):
        objects.path(digest)

    freed = objects.sweep([kept])

    assert freed > len(b"dropped")
    assert objects.verify(kept)
    assert not objects.has(dropped)
    assert [p.read_text() for p in objects._blobs.trees.glob("*/x")] == ["shared"]


def test_a_sweep_leaves_a_directory_alone_that_somebody_lays_out_and_takes_one_that_was_left_a_day_ago(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = objects.put(write(tmp_path / "a", {"x": b"1", "d/y": b"2"}))
    link = os.link

    def meanwhile(source: Path, target: Path) -> None:
        monkeypatch.setattr("mlm_registry.blobs.os.link", link)
        objects.sweep([digest])
        link(source, target)

    monkeypatch.setattr("mlm_registry.blobs.os.link", meanwhile)

    assert read(objects.path(digest)) == {"x": b"1", "d/y": b"2"}

    left = objects._blobs.arriving / "of-a-reader-that-was-killed"
    left.mkdir()
    os.utime(left, (0, 0))
    objects.sweep([digest])
    assert list(objects._blobs.arriving.iterdir()) == []
