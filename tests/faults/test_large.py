"""One file of 5 GB, and a folder of 100,000 small ones: stored, laid out, verified and deleted like any other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mlm_registry import Corrupt, Registry

GB = 1_000_000_000
FILES, FILES_A_FOLDER = 100_000, 500
_BLOCK = bytes(range(256)) * 4096

pytestmark = pytest.mark.heavy


def test_a_file_of_5_gb_is_stored_and_one_flipped_byte_of_it_is_found(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < 12 * GB:
        pytest.skip("needs 12 GB of disk")
    file = tmp_path / "weights.bin"
    with file.open("wb") as out:
        # What has no bytes of its own takes no room, and is hashed and copied like the rest.
        out.truncate(5 * GB)
        for at in range(0, 5 * GB, GB // 2):
            out.seek(at)
            out.write(at.to_bytes(8, "little") + _BLOCK)
    with Registry.open(tmp_path / "registry") as registry:
        digest = registry.objects.put(file)
        assert registry.objects.put(file) == digest
        stored = registry.objects.path(digest)
        assert stored.stat().st_size == file.stat().st_size
        registry.objects.check(digest)

        stored.chmod(0o644)
        with stored.open("r+b") as touched:
            touched.seek(4 * GB + 12_345)
            byte = touched.read(1)
            touched.seek(-1, os.SEEK_CUR)
            touched.write(bytes([byte[0] ^ 1]))

        with pytest.raises(Corrupt, match=digest):
            registry.objects.check(digest)
    print(f"tried: a file of {file.stat().st_size:,} bytes, and one bit of it flipped; lost: nothing, and found")


def test_100_000_small_files_are_stored_and_laid_out(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for number in range(FILES):
        file = tree / f"{number // FILES_A_FOLDER:03}" / f"{number:06}.txt"
        if number % FILES_A_FOLDER == 0:
            file.parent.mkdir(parents=True)
        file.write_text(f"row {number}")
    with Registry.open(tmp_path / "registry") as registry:
        objects = registry.objects
        digest = objects.put(tree)
        assert len(objects.entries(digest)) == FILES
        objects.check(digest)
        laid_out = objects.path(digest)
        assert [f"row {number}" for number in range(FILES)] == [
            file.read_text() for folder in sorted(laid_out.iterdir()) for file in sorted(folder.iterdir())
        ]

        changed = tree / "000" / "000007.txt"
        changed.write_text("another row")
        other = objects.put(tree)
        removed = objects.forget([digest], keep=[other])

        assert removed > 0
        assert not objects.has(digest)
        objects.check(other)
        assert (objects.path(other) / "000" / "000007.txt").read_text() == "another row"
        assert objects.garbage([other]) == []
    print(f"tried: {FILES:,} files, one of them changed, the first version deleted; lost: nothing")
