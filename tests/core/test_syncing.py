"""A registry is pushed to a remote and pulled elsewhere; what is not here yet is fetched when it is needed."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from invariants import broken
from trial import TrialProject

from mlm_registry import Execution, Node, Registry
from mlm_registry.packs import MANY


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A remote: a folder, and a file system that is none."""
    if request.param == "folder":
        yield str(tmp_path / "remote")
        return
    name = f"memory://{uuid.uuid4().hex}/models"
    yield name
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def pushed(life: TrialProject, url: str) -> TrialProject:
    """A life with a promoted model, pushed to the remote."""
    life.change("[requirements]", f'[registry]\nremote = "{url}"\n\n[requirements]')
    life.run()
    assert life.mlm("promote", "chat").code == 0
    assert life.mlm("push").code == 0
    return life


def elsewhere(project: TrialProject, name: str = "elsewhere") -> TrialProject:
    """The same project file and raw files in another folder, without a registry."""
    folder = project.folder.parent / name
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns(".mlm", "remote"))
    return TrialProject(folder)


def objects_of(project: TrialProject) -> list[Path]:
    return [file for file in (project.folder / ".mlm" / "objects").rglob("*") if file.is_file()]


def test_a_pulled_registry_is_up_to_date_and_holds_no_object_yet(pushed: TrialProject) -> None:
    other = elsewhere(pushed)

    assert other.mlm("pull", "--json").json["changed"] is True

    assert objects_of(other) == []
    assert other.ran() == set()
    assert objects_of(other) == []
    assert other.mlm("audit", "verify", "--objects").code == 0
    assert other.mlm("history", "production", "--json").json == pushed.mlm("history", "production", "--json").json
    assert other.mlm("pull", "--json").json["changed"] is False


def test_an_object_comes_when_it_is_needed_and_is_verified(pushed: TrialProject) -> None:
    other = elsewhere(pushed)
    other.mlm("pull")

    assert other.mlm("show", "chat", "--json").json["presence"] == "at the remote"
    assert other.mlm("admit", "production").code == 0

    with other.registry() as here:
        chat, exam = here.node("chat"), here.node("exam")
        assert here.objects.verify(chat.digest)
        assert not here.objects.is_here(exam.digest)
    assert other.mlm("show", "chat", "--json").json["presence"] == "here"
    other.mlm("pull", "--all")
    assert broken(other.folder / ".mlm") == []


def test_exchanges_stay_where_they_were_recorded_and_are_missed_only_there(pushed: TrialProject) -> None:
    assert pushed.mlm("deploy").code == 0
    pushed.visit(pushed.lessons())
    assert pushed.mlm("promote", "chat").code == 0
    assert pushed.mlm("push").code == 0
    other = elsewhere(pushed)

    assert other.mlm("pull").code == 0
    assert other.mlm("audit", "verify").code == 0
    other.visit(other.lessons())
    assert other.mlm("promote", "chat").code == 0
    assert other.mlm("audit", "verify").code == 0
    assert other.mlm("push").code == 0
    assert pushed.mlm("pull").code == 0
    assert pushed.mlm("audit", "verify").code == 0

    for place in (pushed, other):
        (place.folder / ".mlm" / "exchanges.db").unlink()
        assert "are missing" in place.mlm("audit", "verify").error


def test_pull_all_brings_everything(pushed: TrialProject) -> None:
    other = elsewhere(pushed)

    told = other.mlm("pull", "--all").out

    with pushed.registry() as first, other.registry() as second:
        digests = {node.digest for node in first.nodes()}
        assert f"{len(digests)} objects were fetched" in told
        assert all(second.objects.is_here(digest) for digest in digests)


def test_two_places_take_turns(pushed: TrialProject) -> None:
    other = elsewhere(pushed)
    other.mlm("pull")
    assert other.mlm("recall", "lessons", "--reason", "wrong").code == 0

    assert other.mlm("push").code == 0
    assert pushed.mlm("pull").code == 0

    assert [recall["subject"] for recall in pushed.mlm("recall", "--list", "--json").json] == ["lessons"]
    assert pushed.mlm("push", "--json").json["files"] == 0
    assert broken(pushed.folder / ".mlm") == []


def test_nobody_overwrites_what_they_have_not_seen(pushed: TrialProject) -> None:
    other = elsewhere(pushed)
    other.mlm("pull")
    assert other.mlm("recall", "lessons", "--reason", "theirs").code == 0
    assert other.mlm("push", "--by", "other").code == 0
    assert pushed.mlm("recall", "exam", "--reason", "ours").code == 0
    before = pushed.mlm("audit", "--json").json

    push, pull = pushed.mlm("push"), pushed.mlm("pull")

    assert (push.code, pull.code) == (1, 1)
    assert "by other): `mlm pull` first" in push.error
    assert "histories are not merged" in pull.error
    assert pushed.mlm("audit", "--json").json == before


def test_a_second_push_sends_only_what_is_new(pushed: TrialProject) -> None:
    rows = pushed.lessons()
    pushed.jsonl("lessons.jsonl", [*rows, {"prompt": "new?", "completion": "new"}])
    pushed.run()

    again = pushed.mlm("push", "--json").json

    with pushed.registry() as registry:
        new = {registry.node(name).digest for name in ("lessons@2", "chat@2", "quality@2")}
        files = {file for digest in new for file in registry.objects.files(digest)}
        old = {f for node in registry.nodes() if node.version == 1 for f in registry.objects.files(node.digest)}
    assert again["files"] == len(files - old)


def test_what_a_remote_spoiled_is_refused_and_not_kept(life: TrialProject, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    life.change("[requirements]", f'[registry]\nremote = "{remote}"\n\n[requirements]')
    life.deploy()
    life.mlm("push")
    with life.registry() as registry:
        (file, *_) = registry.objects.files(registry.node("chat").digest)
        copy = remote / registry.objects.name(file)
    copy.chmod(0o644)
    copy.write_bytes(bytes([copy.read_bytes()[0] ^ 1]) + copy.read_bytes()[1:])
    other = elsewhere(life)
    other.mlm("pull")

    refused = other.mlm("admit", "production")

    assert (refused.code, refused.out.partition(":")[0]) == (1, "digest_mismatch")
    whole = other.mlm("pull", "--all")
    assert whole.code == 1
    assert "does not match its digest; delete it there, and push from a registry that has it" in whole.error
    assert not (other.folder / ".mlm" / registry.objects.name(file)).exists()


def test_a_snapshot_that_was_touched_is_refused_and_nothing_changes(life: TrialProject, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    life.change("[requirements]", f'[registry]\nremote = "{remote}"\n\n[requirements]')
    life.run()
    life.mlm("push")
    (snapshot,) = (remote / "snapshots").iterdir()
    content = bytearray(snapshot.read_bytes())
    content[-100] ^= 1
    snapshot.write_bytes(content)
    other = elsewhere(life)

    refused = other.mlm("pull")

    assert (refused.code, "does not match its digest" in refused.error) == (1, True)
    with other.registry() as registry:
        assert registry.nodes() == []


def test_a_push_that_is_cut_short_changes_nothing_and_goes_on(life: TrialProject, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    (remote / "snapshots").write_text("no folder")
    life.change("[requirements]", f'[registry]\nremote = "{remote}"\n\n[requirements]')
    life.run()

    assert life.mlm("push").code == 1
    assert not (remote / "registry.json").exists()
    (remote / "snapshots").unlink()
    again = life.mlm("push", "--json").json

    assert (again["files"], again["bytes"]) == (0, 0)
    other = elsewhere(life)
    assert other.mlm("pull").code == 0
    assert other.ran() == set()


def test_a_push_deletes_the_copies_of_what_was_erased(pushed: TrialProject) -> None:
    pushed.jsonl(
        "lessons.jsonl", [{**row, "user": "ada" if i < 5 else "bob"} for i, row in enumerate(pushed.lessons())]
    )
    pushed.change("min = 0.8", "min = 0.1")
    pushed.run()
    pushed.mlm("push")
    other = elsewhere(pushed)
    other.mlm("pull", "--all")
    erased = pushed.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes")
    assert erased.code == 0, erased.err

    done = pushed.mlm("push", "--json").json

    assert done["deleted"] > 0
    with pushed.registry() as registry:
        gone = registry.node("lessons@2").digest
        remote = Registry.open(pushed.folder.parent / "look", remote=done["remote"]).remote
        assert remote is not None
        assert not [name for name in remote.files("objects") if gone[2:] in name]
    assert other.mlm("pull", "--all").code == 0
    assert broken(other.folder / ".mlm") == []
    fresh = elsewhere(pushed, "fresh")
    assert fresh.mlm("pull", "--all").code == 0


def test_many_small_files_travel_in_their_packs(url: str, tmp_path: Path) -> None:
    from mlm.syncing import pull, push

    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(MANY + 10):
        (tree / f"{number}.txt").write_text(f"file {number}")
    with Registry.open(tmp_path / "a", remote=url) as first, Registry.open(tmp_path / "b", remote=url) as second:
        digest = first.objects.put(tree)
        first.finish(Execution("s", "s", "r", "p"), outputs=[Node("many", "dataset", digest)])
        sent = push(first, by="tester")
        pull(second)

        assert sent.files == 3  # a pack, its listing, the manifest
        assert [entry.path for entry in second.objects.entries(digest)] == sorted(p.name for p in tree.iterdir())
        assert (second.objects.path(digest) / "7.txt").read_text() == "file 7"


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("", 'there is no remote: say where in mlm.toml, [registry] remote = "s3://bucket/models"'),
        ("nosuch://ada:secret@host/models", "the remote nosuch://host/models failed (ValueError: Protocol not known"),
    ],
)
def test_a_remote_that_cannot_be_used_is_one_line_without_a_secret(
    life: TrialProject, remote: str, expected: str
) -> None:
    life.change("[requirements]", f'[registry]\nremote = "{remote}"\n\n[requirements]')

    for verb in ("push", "pull"):
        refused = life.mlm(verb)

        assert refused.code == 1
        assert expected in refused.error
        assert "secret" not in refused.error
        assert "secret" not in "".join(f.read_text(errors="ignore") for f in (life.folder / ".mlm").glob("*.json"))


def test_a_pull_before_any_push_says_so(life: TrialProject, url: str) -> None:
    life.change("[requirements]", f'[registry]\nremote = "{url}"\n\n[requirements]')

    assert f"nothing was pushed to {url}" in life.mlm("pull").error
