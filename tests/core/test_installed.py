"""What is installed is remembered, and never for longer than it is true."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from making import distribution

from mlm import installed

_moments = itertools.count(int(time.time()) - 3600)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path whose times lie back, as those of an installed environment do."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(folder)])
    return folder


def settle(folder: Path) -> None:
    """Let what is there be of an hour ago, each time of another second."""
    moment = next(_moments)
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (moment, moment))


def names() -> list[str]:
    return [point["name"] for point in installed.points()]


def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often metadata is read."""
    count: list[int] = []
    read = installed._read

    def counted() -> object:
        count.append(1)
        return read()

    monkeypatch.setattr(installed, "_read", counted)
    return count


def test_metadata_is_read_once_where_nothing_changes(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(site, "acme-one", {"guards/one": "One"})
    settle(site)
    count = reads(monkeypatch)

    assert names() == names() == names() == ["one"]
    assert len(count) == 1


def test_what_is_installed_upgraded_or_removed_is_seen_at_once(site: Path) -> None:
    distribution(site, "acme-one", {"guards/one": "One"})
    settle(site)
    assert names() == names() == ["one"]

    distribution(site, "acme-two", {"guards/two": "Two"})
    assert names() == names() == ["one", "two"]

    settle(site)
    assert names() == names() == ["one", "two"]
    (site / "acme_two-1.0.dist-info" / "entry_points.txt").write_text("[mlm.guards]\nthree = acme_two:Two\n")
    assert names() == names() == ["one", "three"]

    shutil.rmtree(site / "acme_one-1.0.dist-info")
    assert names() == names() == ["three"]


def test_what_a_plugin_lacks_is_remembered_until_it_is_installed(site: Path) -> None:
    requires = "Provides-Extra: gpu\nRequires-Dist: magic; extra == 'gpu'\n"
    distribution(site, "acme-gpu", {"guards/quick": "Quick [gpu]"}, requires=requires)
    settle(site)
    assert [installed.points()[0]["missing"] for _ in range(2)] == [["magic"], ["magic"]]

    distribution(site, "magic", {})

    assert [installed.points()[0]["missing"] for _ in range(2)] == [[], []]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 0, "folders": {}, "files": {}}'])
def test_a_file_that_is_broken_is_read_anew(site: Path, content: str) -> None:
    distribution(site, "acme-one", {"guards/one": "One"})
    settle(site)
    names()
    (kept,) = (site.parent / "cache" / "mlm").iterdir()
    kept.write_text(content)

    assert names() == ["one"]


def test_a_cache_that_cannot_be_written_is_done_without(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(site, "acme-one", {"guards/one": "One"})
    settle(site)
    (site.parent / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(site.parent / "file"))

    assert names() == names() == ["one"]


def test_broken_metadata_hides_no_other_plugin(site: Path) -> None:
    distribution(site, "acme-one", {"guards/one": "One"})
    distribution(site, "acme-bad", {"guards/bad": "Bad"})
    (site / "acme_bad-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe[mlm.guards]\nno equals sign\n")

    assert names() == ["one"]


def test_a_command_that_found_everything_before_reads_no_metadata(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom mlm.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(str('importlib.metadata' in sys.modules))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    told = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True).stderr
        for _ in range(2)
    ]

    # The first may find the environment changed a moment ago, and remembers nothing then.
    assert told in (["True", "False"], ["True", "True"])
