"""Directories of many small files, which are stored in packs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlm_registry import Corrupt, Objects, RegistryError
from mlm_registry import packs as packing

Files = dict[str, bytes]


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    opened = Objects(tmp_path / ".mlm")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _small_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_LEAST_BYTES", 1000)
    monkeypatch.setattr(packing, "_MOST_BYTES", 8000)
    monkeypatch.setattr(packing, "_ONE_IN", 4)


def files(count: int = 300) -> Files:
    return {f"d{i % 7}/{i}": f"{i} ".encode() * (i % 60) for i in range(count)} | {"large": b"L" * 100_000}


def write(root: Path, content: Files) -> Path:
    for name, text in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text)
    return root


def read(root: Path) -> Files:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def stored(tmp_path: Path) -> set[Path]:
    return set((tmp_path / ".mlm" / "objects").glob("??/*"))


def test_many_small_files_come_back_as_they_were_from_few(objects: Objects, tmp_path: Path) -> None:
    root = write(tmp_path / "a", files())
    (root / "d1" / "1").chmod(0o755)

    digest = objects.put(root)

    laid_out = objects.path(digest)
    assert digest == objects.digest(root)
    assert read(laid_out) == files()
    assert (laid_out / "d1" / "1").stat().st_mode & 0o777 == 0o555
    assert (laid_out / "d1" / "8").stat().st_mode & 0o777 == 0o444
    assert objects.verify(digest)
    assert objects.size(digest) == sum(map(len, files().values()))
    assert len(stored(tmp_path)) < 50


def test_the_digest_does_not_depend_on_packs(objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "a", files())
    digest = objects.put(root)
    monkeypatch.setattr("mlm_registry.objects.MANY", 10**9)
    alone = Objects(tmp_path / "other")

    assert alone.put(root) == digest
    assert alone.verify(digest)
    alone.close()


def test_a_changed_file_changes_few_packs(objects: Objects, tmp_path: Path) -> None:
    root = write(tmp_path / "a", files())
    objects.put(root)
    before = stored(tmp_path)

    (root / "d3" / "150").unlink()
    (root / "d3" / "10").write_bytes(b"changed")
    digest = objects.put(root)

    fresh = stored(tmp_path) - before
    assert len([path for path in fresh if not path.suffix]) <= 4 < len(before)
    assert objects.verify(digest)


def test_a_flipped_byte_in_a_pack_names_its_file(objects: Objects, tmp_path: Path) -> None:
    digest = objects.put(write(tmp_path / "a", files()))
    [pack] = [path for path in stored(tmp_path) if b"59 59 59" in path.read_bytes()]
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes().replace(b"59 59 59", b"59 58 59", 1))

    with pytest.raises(Corrupt, match=r"\(d3/59\) do not match"):
        objects.check(digest)


@pytest.mark.parametrize("suffix", ["", ".packs"])
def test_lost_packs_and_listings_are_found_and_stored_again(objects: Objects, tmp_path: Path, suffix: str) -> None:
    root = write(tmp_path / "a", files())
    digest = objects.put(root)
    for path in stored(tmp_path):
        if path.suffix == suffix and path.stat().st_size < 100_000:
            path.unlink()

    assert not objects.has(digest)
    with pytest.raises(Corrupt, match="missing"):
        objects.check(digest)
    assert objects.put(root) == digest
    assert objects.verify(digest)


def test_a_damaged_listing_is_said(objects: Objects, tmp_path: Path) -> None:
    digest = objects.put(write(tmp_path / "a", files()))
    [listing] = [path for path in stored(tmp_path) if path.suffix == ".packs"]
    listing.chmod(0o644)
    for text in ("[", "[]", '[["x", 1]]', "{}", "[[1, 2, 3]]"):
        listing.write_text(text)
        with pytest.raises(Corrupt, match="packs of object"):
            objects.check(digest)


def test_a_sweep_keeps_the_packs_of_what_lives(objects: Objects, tmp_path: Path) -> None:
    root = write(tmp_path / "a", files())
    dropped = objects.put(root)
    (root / "d3" / "10").write_bytes(b"changed")
    kept = objects.put(root)
    shared = objects.put(write(tmp_path / "b", {"large": b"L" * 100_000}))

    assert objects.forget([dropped], [kept, shared]) > 0
    assert not objects.has(dropped)
    assert objects.sweep([kept, shared]) == 0
    assert objects.verify(kept)
    objects.sweep([])
    assert stored(tmp_path) == set()


def test_a_file_that_grows_while_it_is_stored_is_no_silent_loss(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "a", files())
    real = packing.read_small

    def grown(path: str, size: int) -> bytes:
        if path.endswith("/10"):
            Path(path).write_bytes(b"g" * 100_000)
        return real(path, size)

    monkeypatch.setattr(packing, "read_small", grown)
    with pytest.raises(RegistryError, match="changed while it was stored"):
        objects.put(root)
    monkeypatch.undo()

    assert read(objects.path(objects.put(root)))["d3/10"] == b"g" * 100_000


def test_an_unchanged_directory_is_not_read_again(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm_registry.digests.SETTLED_NS", -(10**10))
    root = write(tmp_path / "a", files())
    digest = objects.put(root)
    monkeypatch.setattr(packing, "read_small", lambda *_: pytest.fail("it was read again"))
    time.sleep(0.01)

    assert objects.put(root) == objects.digest(root) == digest
