"""A remote that is behind, elsewhere, cut short or hostile: nothing recorded is lost, nothing erased comes back."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from invariants import broken
from trial import LESSONS, TrialProject

from mlm_registry import Corrupt, Exchange, Execution, Node, Observation, Registry
from mlm_registry.packs import MANY


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "remote"


@pytest.fixture
def pushed(life: TrialProject, remote: Path) -> TrialProject:
    """A life of which a part is about ada, pushed."""
    life.jsonl("lessons.jsonl", [{**row, "user": "ada" if i < 5 else "bob"} for i, row in enumerate(LESSONS)])
    life.change("[requirements]", f'[registry]\nremote = "{remote}"\n\n[requirements]')
    life.change("min = 0.8", "min = 0.1")
    life.deploy()
    assert life.mlm("push").code == 0
    return life


@pytest.fixture
def other(pushed: TrialProject) -> TrialProject:
    """The same in another place, pulled with all objects."""
    place = TrialProject(pushed.folder.parent / "other")
    shutil.copytree(pushed.folder, place.folder, ignore=shutil.ignore_patterns(".mlm"))
    assert place.mlm("pull", "--all").code == 0
    return place


def erase(project: TrialProject) -> None:
    erased = project.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes")
    assert erased.code == 0, erased.err


def recalls(project: TrialProject) -> list[str]:
    return [recall["subject"] for recall in project.mlm("recall", "--list", "--json").json]


def test_a_registry_that_was_restored_from_an_old_backup_cannot_turn_the_remote_back(
    pushed: TrialProject, other: TrialProject
) -> None:
    database = pushed.folder / ".mlm" / "registry.db"
    with pushed.registry() as registry:
        registry.database.query("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = database.read_bytes()
    assert pushed.mlm("recall", "lessons", "--reason", "wrong").code == 0
    assert pushed.mlm("push").code == 0
    database.write_bytes(backup)
    for name in ("registry.db-wal", "registry.db-shm"):
        (database.parent / name).unlink(missing_ok=True)
    assert recalls(pushed) == []

    refused = pushed.mlm("push")

    assert (refused.code, "has what this registry lacks" in refused.error) == (1, True)
    assert other.mlm("pull").code == pushed.mlm("pull").code == 0
    assert recalls(other) == recalls(pushed) == ["lessons"]


def test_the_registry_of_another_project_is_not_pulled(
    pushed: TrialProject, project: TrialProject, remote: Path
) -> None:
    before = pushed.mlm("audit", "--json").json
    shutil.rmtree(remote)
    with Registry.open(project.folder / "stranger", remote=str(remote)) as stranger:
        from mlm.syncing import push

        stranger.finish(Execution("s", "s", "r", "p"), outputs=[Node("n", "dataset", stranger.objects.put_bytes(b"x"))])
        push(stranger, by="stranger")

    assert "histories are not merged" in pushed.mlm("pull").error
    assert pushed.mlm("audit", "--json").json == before


def test_what_is_decided_while_a_pull_is_at_work_is_not_lost(
    pushed: TrialProject, other: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlm import syncing

    assert other.mlm("recall", "exam", "--reason", "theirs").code == 0
    assert other.mlm("push").code == 0
    verify = syncing.verify

    def meanwhile(registry: Registry, **options: Any) -> Any:
        assert pushed.mlm("recall", "lessons", "--reason", "ours").code == 0
        monkeypatch.setattr(syncing, "verify", verify)
        return verify(registry, **options)

    monkeypatch.setattr(syncing, "verify", meanwhile)

    refused = pushed.mlm("pull")

    assert refused.code == 1
    assert recalls(pushed) == ["lessons"]


def test_what_was_recorded_alone_is_given_up_only_on_request_and_kept_beside(
    pushed: TrialProject, other: TrialProject
) -> None:
    assert other.mlm("recall", "exam", "--reason", "theirs").code == 0
    assert other.mlm("push").code == 0
    assert pushed.mlm("recall", "lessons", "--reason", "ours").code == 0

    assert "mlm pull --replace" in pushed.mlm("pull").error
    kept = Path(pushed.mlm("pull", "--replace", "--json").json["kept"])

    assert recalls(pushed) == ["exam"]
    (pushed.folder / "look").mkdir()
    shutil.copy(kept, pushed.folder / "look" / "registry.db")
    with Registry.open(pushed.folder / "look") as before:
        assert [recall.subject for recall in before.recalls.standing()] == ["lessons"]


def test_a_registry_that_gave_up_more_than_it_took_over_is_whole_and_goes_on(
    pushed: TrialProject, other: TrialProject
) -> None:
    assert other.mlm("recall", "exam", "--reason", "theirs").code == 0
    assert other.mlm("push").code == 0
    for number in range(5):
        assert pushed.mlm("promote", "chat", "--to", f"ours-{number}").code == 0

    assert pushed.mlm("pull", "--replace").code == 0

    assert broken(pushed.folder / ".mlm") == []
    assert pushed.mlm("recall", "--undo", "1", "--reason", "a mistake").code == 0
    assert pushed.mlm("admit", "chat").out == "chat@1 may be served\n"
    assert broken(pushed.folder / ".mlm") == []
    assert pushed.mlm("push").code == 0
    assert other.mlm("pull").code == 0
    assert recalls(other) == []
    assert broken(other.folder / ".mlm") == []


def test_what_an_endpoint_says_of_itself_is_no_history(pushed: TrialProject, other: TrialProject) -> None:
    with pushed.registry() as registry:
        registry.deployments.observe(Observation("api", 1, "http://127.0.0.1:1", 1, (), None, time.time()))
    assert other.mlm("recall", "lessons", "--reason", "wrong").code == 0
    assert other.mlm("push").code == 0

    assert pushed.mlm("pull").code == 0

    assert recalls(pushed) == ["lessons"]
    with pushed.registry() as here, other.registry() as there:
        assert here.deployments.observation("api") is not None
        assert there.deployments.observation("api") is None


def test_erased_bytes_are_not_fetched_back_before_the_push_that_deletes_them(pushed: TrialProject) -> None:
    pushed.jsonl("lessons.jsonl", [{**row, "user": "ada"} for row in LESSONS])
    pushed.run()
    pushed.mlm("push")
    erase(pushed)

    with pushed.open() as workspace:
        registry = workspace.registry
        assert not any(registry.objects.has(registry.node(ref).digest) for ref in ("lessons@1", "lessons@2"))
    assert "lessons" in pushed.ran("lessons")
    assert pushed.mlm("show", "lessons@2", "--json").json["presence"] == "erased"


def test_a_pull_erases_here_what_was_erased_elsewhere(pushed: TrialProject, other: TrialProject) -> None:
    with other.registry() as registry:
        gone = registry.node("lessons@1").digest
        node, now = registry.node("chat").id, time.time() - 60
        asked = Exchange("ada-1", "api", 1, node, "chat", now, {"user": "ada"}, "me?", "yes")
        later = evolve(asked, id="ada-2", at=now + 3600)
        registry.exchanges.record([asked, later, evolve(asked, id="bob-1", request={"user": "bob"})])
        assert registry.objects.path(gone).exists()
    erase(pushed)
    pushed.mlm("push")

    assert other.mlm("pull").code == 0

    with other.registry() as registry:
        assert not registry.objects.is_here(gone)
        assert not (registry.folder / "trees" / gone).exists()
        assert sorted(registry.exchanges.ids()) == ["ada-2", "bob-1"]
    other.mlm("pull", "--all")
    assert broken(other.folder / ".mlm") == []


def test_a_pull_deletes_what_an_interrupted_step_left_only_where_an_erasure_is_new(
    pushed: TrialProject, other: TrialProject
) -> None:
    def left(name: str) -> Path:
        checkpoint = other.folder / ".mlm" / "work" / "of-a-step" / "work" / name
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_text("hours of training")
        return checkpoint

    before = left("before")
    erase(pushed)
    assert pushed.mlm("push").code == 0
    assert other.mlm("pull").code == 0
    since = left("since")
    assert other.mlm("pull").code == other.mlm("erase", "--reapply").code == 0
    assert pushed.mlm("recall", "exam", "--reason", "wrong").code == pushed.mlm("push").code == 0
    assert other.mlm("pull").code == 0

    assert (before.exists(), since.exists()) == (False, True)


def test_an_erasure_that_is_due_stays_due_after_a_pull(
    pushed: TrialProject, other: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mlm.erasing.held_rows", dies)
        assert pushed.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes").code == 130
    assert other.mlm("recall", "exam", "--reason", "wrong").code == 0
    assert other.mlm("push").code == 0

    assert pushed.mlm("pull").code == 0

    assert pushed.mlm("admit", "chat", "--json").json["verdict"]["code"] == "erasure_pending"
    assert "are not applied" in pushed.mlm("push").error


def test_a_lost_registry_that_is_pulled_again_keeps_its_erasures(pushed: TrialProject) -> None:
    erase(pushed)
    for file in (pushed.folder / ".mlm").glob("registry.db*"):
        file.unlink()

    assert pushed.mlm("pull").code == 0

    assert pushed.mlm("admit", "chat", "--json").json["verdict"]["code"] == "erasure_pending"
    assert pushed.mlm("erase", "--reapply").code == 0
    with pushed.registry() as registry:
        assert not registry.objects.is_here(registry.node("lessons@1").digest)


def test_an_erasure_that_cannot_look_everywhere_is_refused(pushed: TrialProject, other: TrialProject) -> None:
    shutil.rmtree(other.folder / ".mlm")
    assert other.mlm("pull").code == 0
    file = other.folder / "mlm.toml"
    file.write_text(file.read_text().replace("remote =", "# remote ="))

    refused = other.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes")

    assert (refused.code, "lessons@1" in refused.error) == (1, True)
    assert "neither here nor at a remote" in refused.error


def test_a_push_after_an_erasure_takes_leftovers_away_too(pushed: TrialProject, remote: Path) -> None:
    leftover = remote / "objects" / "ab" / ("c" * 62)
    leftover.parent.mkdir(exist_ok=True)
    leftover.write_bytes(b"of a push that was cut short")
    erase(pushed)

    assert pushed.mlm("push", "--json").json["deleted"] > 1

    assert not leftover.exists()


def test_a_remote_without_its_snapshot_is_mended_by_the_next_push(
    pushed: TrialProject, other: TrialProject, remote: Path
) -> None:
    shutil.rmtree(remote / "snapshots")
    assert pushed.mlm("push").code == 0
    assert other.mlm("pull").code == 0

    (remote / "registry.json").write_text("{")
    refused = pushed.mlm("push")
    (remote / "registry.json").unlink()

    assert "delete its registry.json, and push from the registry that is newest" in refused.error
    assert pushed.mlm("push").code == 0
    assert other.mlm("pull").code == 0


def test_a_forged_listing_of_packs_is_never_kept(tmp_path: Path, remote: Path) -> None:
    from mlm.syncing import pull, push

    real, evil = tmp_path / "real", tmp_path / "evil"
    for tree, word in ((real, "file"), (evil, "EVIL")):
        tree.mkdir()
        for number in range(MANY + 10):
            (tree / f"{number:03}.txt").write_text(f"{word} {number}")
    with Registry.open(tmp_path / "a", remote=str(remote)) as first:
        digests = [first.objects.put(tree) for tree in (real, evil)]
        nodes = [Node("real", "dataset", digests[0]), Node("evil", "dataset", digests[1])]
        first.finish(Execution("s", "s", "r", "p"), outputs=nodes)
        push(first, by="tester")
        names = [next(n for n in first.objects.names(d) if n.endswith(".packs")) for d in digests]
    (remote / names[0]).chmod(0o644)
    whole = (remote / names[0]).read_bytes()
    for forged in ((remote / names[1]).read_bytes(), b"[[5, 74]]", b"nothing"):
        (remote / names[0]).write_bytes(forged)
        with Registry.open(tmp_path / "b", remote=str(remote)) as second:
            pull(second)
            for _ in range(2):
                with pytest.raises(Corrupt):
                    second.objects.path(digests[0])
    (remote / names[0]).write_bytes(whole)
    with Registry.open(tmp_path / "b", remote=str(remote)) as second:
        assert (second.objects.path(digests[0]) / "007.txt").read_text() == "file 7"


def test_a_process_that_goes_on_sees_what_another_has_pulled(pushed: TrialProject, other: TrialProject) -> None:
    with pushed.open() as workspace:
        assert workspace.registry.objects.has(workspace.registry.node("chat").digest)
        other.jsonl("lessons.jsonl", [*other.lessons(), {"prompt": "new?", "completion": "new"}])
        other.run()
        assert other.mlm("promote", "chat@2").code == 0
        assert other.mlm("push").code == 0
        assert pushed.mlm("pull").code == 0

        workspace.registry.objects.check(workspace.registry.node("chat@2").digest)


def test_bundles_of_a_remote_are_what_their_names_say(
    pushed: TrialProject, other: TrialProject, remote: Path, tmp_path: Path
) -> None:
    with pushed.registry() as registry:
        place = remote / "signatures" / registry.node("chat").digest
    place.mkdir(parents=True)
    (place / f"{'0' * 64}.json").write_text("[" * 100_000)
    (place / "outside.json").write_text("{}")

    assert other.mlm("pull").code == 0

    assert not (other.folder / ".mlm" / "signatures").exists()


def test_the_key_of_the_ledger_is_its_owner_s_at_a_folder_too(pushed: TrialProject, remote: Path) -> None:
    erase(pushed)
    pushed.mlm("push")

    assert (remote / "erasure.key").stat().st_mode & 0o777 == 0o600
    assert json.loads((remote / "erasures.jsonl").read_text().splitlines()[0])["subject"] != "ada"


@pytest.mark.parametrize("url", ["ftp://ada:p@ss@host/x", "ftp://ada:a/b@host/x", "nosuch://host/x?token=p@ss"])
def test_no_part_of_a_password_is_shown(life: TrialProject, url: str) -> None:
    life.change("[requirements]", f'[registry]\nremote = "{url}"\n\n[requirements]')

    refused = life.mlm("push")

    assert refused.code == 1
    assert not any(part in refused.error for part in ("ss@", "p@ss", "a/b", "token"))
