"""A person leaves the registry: rows, exchanges and bytes; the lineage and the audit chain stay whole."""

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

from mlm.artifacts import Dataset
from mlm_registry import Exchange

OF_ADA = [i for i in range(len(LESSONS)) if i % 3 == 0]
SECRET = "Ada's own city"


@pytest.fixture
def told(life: TrialProject) -> TrialProject:
    """A life in which every third lesson is about ada, and she asked something."""
    rows = [{**row, "user": "ada" if i % 3 == 0 else "bob"} for i, row in enumerate(LESSONS)]
    rows[0]["completion"] = SECRET
    life.jsonl("lessons.jsonl", rows)
    life.jsonl("exam.jsonl", LESSONS[1:30])
    life.change("[requirements]", '[access]\nerase = ["tester"]\n\n[requirements]')
    life.change("min = 0.8", "min = 0.5")
    life.deploy()
    with life.registry() as registry:
        node = registry.node("chat").id
        asked = Exchange("chatcmpl-ada", "api", 1, node, "chat", time.time(), {"user": "ada"}, SECRET, "yes")
        registry.exchanges.record([asked, evolve(asked, id="chatcmpl-bob", request={"user": "bob"}, prompt="hello")])
    return life


def erase(project: TrialProject, *options: str) -> dict[str, object]:
    answer = project.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes", "--json", *options)
    assert answer.code == 0, answer.err
    (done,) = answer.json
    return dict(done)


def holding(folder: Path, text: str) -> list[Path]:
    """Return the files below a folder that hold a text, also inside Parquet files."""
    import pyarrow.parquet as pq

    found = []
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            if content[:4] == b"PAR1":
                content = str(pq.read_table(file).to_pylist()).encode()
            if text.encode() in content:
                found.append(file)
    return found


def left(project: TrialProject) -> list[Path]:
    """Return the files of the registry that hold the secret, but for weights of the model that learned it by heart."""
    with project.registry() as registry:
        weights = registry.objects.path(registry.node("chat@1").digest)
    found = holding(project.folder / ".mlm", SECRET)
    return [file for file in found if not any(file.samefile(w) for w in weights.rglob("*.json"))]


def test_no_byte_of_the_person_is_left_in_the_registry(told: TrialProject) -> None:
    store = told.folder / ".mlm"
    assert holding(store, SECRET)

    done = erase(told)

    assert left(told) == []
    assert done["done"] is True
    assert broken(store) == []


def test_the_certificate_counts_and_classes_and_says_what_stays(told: TrialProject) -> None:
    certificate = erase(told)["certificate"]

    assert isinstance(certificate, dict)
    assert (certificate["rows"], certificate["exchanges"]) == (len(OF_ADA), 1)
    assert certificate["datasets"] == [["lessons@1", "lessons@2"]]
    assert certificate["models"] == [{"ref": "chat@1", "action": "retrain", "state": "approved"}]
    assert "Weights are not unlearned" in certificate["remains"][0]
    assert "'ada'" not in str(certificate)


def test_only_the_person_s_rows_and_exchanges_go(told: TrialProject) -> None:
    erase(told)

    with told.registry() as registry:
        import pyarrow.parquet as pq

        table = pq.read_table(
            registry.objects.path(registry.node("lessons@2").digest) / "data" / "train-00000-of-00001.parquet"
        )
        assert table["user"].unique().to_pylist() == ["bob"]
        assert table.num_rows == len(LESSONS) - len(OF_ADA)
        assert registry.exchanges.ids() == ["chatcmpl-bob"]


def test_a_run_makes_the_model_again_without_the_rows_and_rows_do_not_come_back(told: TrialProject) -> None:
    erase(told)
    assert told.run()["lessons"] == "cached"
    with told.registry() as registry:
        assert SECRET not in str(sorted((registry.objects.path(registry.node("chat@2").digest)).rglob("*")))
        weights = registry.objects.path(registry.node("chat@2").digest)
        assert holding(weights, SECRET) == []
    assert told.ran() == set()

    lessons = told.lessons()
    told.jsonl("lessons.jsonl", [*lessons, {"prompt": "What is new?", "completion": "This", "user": "bob"}])
    assert "lessons" in told.ran()

    view = told.mlm("show", "lessons", "--json").json
    assert view["rows"] == {"train": len(LESSONS) - len(OF_ADA) + 1}
    assert view["chain"][1]["removed"] == {"erased": len(OF_ADA)}
    with told.registry() as registry:
        assert holding(registry.objects.path(registry.node("lessons").digest), SECRET) == []


def test_a_dry_run_changes_nothing(told: TrialProject) -> None:
    before = told.refs()

    answer = told.mlm("erase", "--subject", "ada")

    assert answer.code == 0
    assert f"{len(OF_ADA)} rows and 1 exchange would be erased" in answer.out
    assert "chat@1 (approved) learned from them: retrain" in answer.out
    assert told.refs() == before
    assert holding(told.folder / ".mlm", SECRET)
    assert told.ran() == set()


def test_a_restored_backup_is_refused_until_the_ledger_is_applied(told: TrialProject) -> None:
    store, backup = told.folder / ".mlm", told.folder / "backup"
    shutil.copytree(store, backup)
    erase(told)
    ledger = {name: (store / name).read_bytes() for name in ("erasures.jsonl", "erasure.key")}
    shutil.rmtree(store)
    shutil.copytree(backup, store)
    for name, content in ledger.items():
        (store / name).write_bytes(content)

    run, admitted = told.mlm("run"), told.mlm("admit", "production", "--json")
    assert run.code == 1
    assert "mlm erase --reapply" in run.error
    assert (admitted.code, admitted.json["verdict"]["code"]) == (1, "erasure_pending")

    assert told.mlm("erase", "--reapply").code == 0
    assert told.mlm("admit", "production").code == 0
    with told.registry() as registry:
        assert holding(registry.objects.path(registry.node("lessons").digest), SECRET) == []
    assert told.mlm("erase", "--reapply").out == "every erasure of the ledger is applied\n"


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("mlm.erasing.without", True),
        ("mlm_registry.exchanges.Exchanges.erase", True),
        ("mlm_registry.erasing.Erasures.bury", True),
        ("mlm_registry.objects.Objects.forget", False),
    ],
)
def test_an_erasure_that_dies_is_due_while_anything_is_to_be_recorded_and_is_finished_by_a_second_one(
    told: TrialProject, monkeypatch: pytest.MonkeyPatch, moment: str, due: bool
) -> None:
    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    store = told.folder / ".mlm"
    with monkeypatch.context() as patch:
        patch.setattr(moment, dies)
        assert told.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes").code == 130

    assert (told.mlm("admit", "chat", "--json").json["verdict"]["code"] == "erasure_pending") is due
    assert told.mlm("erase", "--reapply").code == 0
    with told.registry() as registry:
        assert registry.exchanges.ids() == ["chatcmpl-bob"]
    assert left(told) == []
    (listed,) = told.mlm("erase", "--list", "--json").json
    assert (listed["counts"]["rows"], listed["counts"]["exchanges"]) == (len(OF_ADA), 1)
    assert told.mlm("admit", "chat").code == 0
    assert broken(store) == []


def test_an_erasure_waits_for_whoever_reads_the_exchanges_and_is_due_until_they_have_left(
    told: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm_registry.database.BUSY_SECONDS", 0.1)
    command = ("erase", "--subject", "ada", "--reason", "asked to", "--yes")
    with told.registry() as registry, registry.exchanges.database.snapshot():
        assert registry.exchanges.count() == 2
        busy = told.mlm(*command)

    assert (busy.code, len(busy.error.splitlines())) == (1, 1)
    assert "end it and try again" in busy.error
    assert told.mlm("admit", "chat", "--json").json["verdict"]["code"] == "erasure_pending"
    assert told.mlm(*command).code == 0
    assert left(told) == []
    assert told.mlm("admit", "chat").code == 0


def test_exchanges_that_a_backup_brought_back_go_when_the_ledger_is_applied(told: TrialProject) -> None:
    store = told.folder / ".mlm"
    with told.registry() as registry:
        registry.exchanges.database.query("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = (store / "exchanges.db").read_bytes()
    erase(told)
    for file in store.glob("exchanges.db*"):
        file.unlink()
    (store / "exchanges.db").write_bytes(backup)

    assert told.mlm("erase", "--reapply").code == 0

    with told.registry() as registry:
        assert registry.exchanges.ids() == ["chatcmpl-bob"]


def test_the_ledger_names_nobody_and_its_key_is_its_owner_s(told: TrialProject) -> None:
    erase(told)

    store = told.folder / ".mlm"
    assert '"ada"' not in (store / "erasures.jsonl").read_text()
    assert (store / "erasure.key").stat().st_mode & 0o077 == 0
    (store / "erasure.key").unlink()
    assert "restore it from a backup" in told.mlm("run").error


def test_an_erased_node_keeps_its_place_in_the_lineage(told: TrialProject) -> None:
    erase(told)

    lineage = told.mlm("trace", "chat@1", "--json").json
    assert {node["ref"] for node in lineage["nodes"]} == {"lessons@1", "chat@1"}
    assert told.mlm("audit", "verify").code == 0
    assert told.mlm("gc", "--json").json["files"] == 0


def test_what_is_left_of_a_recalled_dataset_is_recalled_with_all_that_learns_from_it_until_that_is_undone(
    told: TrialProject,
) -> None:
    told.mlm("recall", "lessons", "--reason", "poisoned")

    erase(told)
    told.run()

    refused = told.mlm("promote", "chat@2", "--dry-run", "--json").json["verdicts"]
    assert [(v["code"], v["reason"]) for v in refused] == [("recalled", "chat@2 rests on lessons@1, which is recalled")]
    assert told.mlm("admit", "chat@2", "--json").json["verdict"]["code"] == "model_recalled"
    touched = told.mlm("impact", "lessons@1", "--json").json["models"]
    assert {model["ref"] for model in touched} == {"chat@1", "chat@2"}
    assert broken(told.folder / ".mlm") == []

    assert told.mlm("recall", "--undo", "1", "--reason", "clean after all").code == 0
    assert told.mlm("promote", "chat@2").code == 0
    assert told.mlm("admit", "chat@2").code == 0
    assert told.ran() == set()
    assert broken(told.folder / ".mlm") == []


def test_what_is_left_says_what_it_was(told: TrialProject) -> None:
    erase(told)
    told.run()

    lineage = told.mlm("trace", "chat@2", "--json").json["edges"]
    assert [(edge["source"], edge["role"], edge["target"]) for edge in lineage] == [
        ("lessons@1", "erased", "lessons@2"), ("lessons@2", "data", "chat@2"),
    ]  # fmt: skip
    assert f"- Rows were erased from: lessons@1 (train {len(LESSONS)})." in told.mlm("card", "lessons").out
    (replay,) = told.mlm("replay", "lessons", "--json").json["replays"]
    assert (replay["outcome"], replay["reason"]) == ("not reproducible", "the bytes of lessons@1 were erased or lost")


def test_a_removed_row_is_erased_too(told: TrialProject) -> None:
    told.change('path = "lessons.jsonl"', 'path = "lessons.jsonl"\nsteps = ["exact"]')
    told.jsonl("lessons.jsonl", [*told.lessons(), told.lessons()[0]])
    told.run()
    assert told.mlm("show", "lessons", "--json").json["chain"][1]["removed"] == {"duplicate": 1}

    erase(told)

    with told.registry() as registry:
        assert holding(registry.objects.path(registry.node("lessons").digest), SECRET) == []


def test_a_chain_adds_up_after_erasures_and_a_row_of_each_says_so(project: TrialProject) -> None:
    users = ["ada", "bob", "ada", "eve", "bob", "bob"]
    project.jsonl("lessons.jsonl", [{"text": f" {i % 5}", "user": user} for i, user in enumerate(users)])
    steps = 'steps = ["normalize", { use = "minhash", threshold = 0.9 }]'
    project.write(f'[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\n{steps}\n')
    project.run()

    erase(project)
    assert project.mlm("erase", "--subject", "eve", "--reason", "asked to", "--yes").code == 0

    chain = project.mlm("show", "lessons", "--json").json["chain"]
    counts = [(link["step"], link["rows_in"], link["rows_out"], link["removed"]) for link in chain[2:]]
    assert counts == [
        ("minhash", 6, 5, {"near-duplicate": 1}), ("erase", 5, 3, {"erased": 2}), ("erase", 3, 2, {"erased": 1}),
    ]  # fmt: skip
    assert sum(chain[-1]["lengths"].values()) == 2
    assert "  erase                 3 -> 2      1 erased" in project.mlm("show", "lessons").out
    card = project.mlm("card", "lessons").out.splitlines()
    settings = [line.split("|")[-2].strip() for line in card if line.startswith(("| minhash |", "| erase |"))]
    assert settings == ['`{"threshold": 0.9}`', "—", "—"]
    assert project.mlm("data", "report", "lessons", "--output", str(project.folder / "lessons.html")).code == 0
    assert "erase: erased" not in (project.folder / "lessons.html").read_text(encoding="utf-8")


def test_one_row_is_erased_by_its_id(told: TrialProject) -> None:
    row = told.mlm("cite", "chatcmpl-bob", "--top", "1", "--json").json
    del row
    with told.registry() as registry:
        import pyarrow.parquet as pq

        file = registry.objects.path(registry.node("lessons").digest) / "data" / "train-00000-of-00001.parquet"
        ids = pq.read_table(file)["row_id"].to_pylist()

    (done,) = told.mlm("erase", "--row", ids[0], "--reason", "it was private", "--yes", "--json").json

    assert done["certificate"]["rows"] == 1


def test_a_row_is_erased_by_the_beginning_of_its_id_or_its_place_and_never_by_what_means_several(
    project: TrialProject,
) -> None:
    def row(text: str) -> str:
        (found,) = (way for way in project.mlm("data", "why", text, "--every-version", "--json").json)
        return str(found["row_id"])

    data = '[data.{0}]\nuse = "jsonl"\npath = "{0}.jsonl"\n'
    project.jsonl("lessons.jsonl", [{"text": text} for text in ("a", "a", "b", *map(str, range(40)))])
    project.jsonl("others.jsonl", [{"text": "x"}])
    project.write(data.format("lessons") + data.format("others"))
    project.run()
    first, second, third = (row(f"lessons.jsonl:{line}") for line in (1, 2, 3))
    assert second == f"{first}:2"
    project.jsonl("others.jsonl", [{"text": "y"}])
    project.run()

    several, places = (project.mlm("erase", "--row", name) for name in ("0", "others.jsonl:1"))
    erased = [
        project.mlm("erase", "--row", name, "--reason", "asked to", "--yes")
        for name in (first, third[:12], "lessons.jsonl:9")
    ]

    assert (several.code, places.code) == (1, 1)
    assert "several rows were read from 'others.jsonl:1'" in places.error
    assert [answer.out.splitlines()[0] for answer in erased] == ["1 row and 0 exchanges erased"] * 3
    with project.registry() as registry:
        left = [line["text"] for line in Dataset(registry.objects.path(registry.node("lessons").digest)).rows()]
    assert left == ["a", *(str(n) for n in range(40) if n != 5)]


def test_certificates_are_listed_and_shown_again(told: TrialProject) -> None:
    done = erase(told)
    digest = str(done["digest"])

    listed = told.mlm("erase", "--list", "--json").json
    text, wrong = told.mlm("erase", "--certificate", digest[:8]), told.mlm("erase", "--certificate", "zz")

    assert [(one["certificate"], one["counts"]["rows"], one["reason"]) for one in listed] == [
        (digest, len(OF_ADA), "asked to"),
    ]  # fmt: skip
    assert list(listed[0]) == ["subject", "by", "reason", "certificate", "counts", "at", "id"]
    assert digest[:12] in told.mlm("erase", "--list").out
    assert told.mlm("erase", "--certificate", digest, "--json").json == [done]
    assert text.out.splitlines()[0] == f"{len(OF_ADA)} rows and 1 exchange erased"
    assert "by tester, " in text.out
    assert text.out.endswith(f": asked to\ncertificate {digest}\n")
    assert wrong.error == f"Error: 0 certificates begin with 'zz', expected one (known: {digest[:12]})"


def test_whom_nobody_knows_and_who_may_not_are_told_so(told: TrialProject) -> None:
    unknown = told.mlm("erase", "--subject", "eve", "--reason", "x", "--yes")
    stranger = told.mlm("erase", "--subject", "ada", "--reason", "x", "--yes", "--by", "eve")

    row = told.mlm("erase", "--row", "facts.jsonl:9999999")

    assert row.error == (
        "Error: nothing is stored of 'facts.jsonl:9999999';"
        " expected a row that is stored, as `mlm data sample` names them"
    )
    assert (unknown.code, unknown.error) == (
        1, "Error: nothing is stored of 'eve'; expected what the columns say",
    )  # fmt: skip
    assert (stranger.code, stranger.error) == (
        1, "Error: 'eve' may not erase (allowed: tester)  [mlm.toml, access.erase]",
    )  # fmt: skip
    assert not (told.folder / ".mlm" / "erasures.jsonl").exists()


@pytest.mark.parametrize(
    "options", [[], ["--list", "--reapply"], ["--subject", "ada", "--reapply"], ["--subject", "ada", "--yes"]]
)
def test_an_erasure_says_what_it_expects(told: TrialProject, options: list[str]) -> None:
    assert told.mlm("erase", *options).code == 2


def test_what_is_read_after_an_erasure_is_an_answer_or_one_line(told: TrialProject) -> None:
    erase(told)

    for command in (["status"], ["card", "chat"], ["report", "--output", str(told.folder / "life.html")], ["plan"]):
        answer = told.mlm(*command)
        assert (answer.code, answer.err) == (0, ""), command
    gone = told.mlm("show", "lessons@1", "--json").json
    assert (gone["path"], gone["presence"]) == (None, "erased")


STRANGERS = [{"prompt": f"Where is island {i}?", "completion": f"South of island {i + 1}."} for i in range(10)]


def corrected(life: TrialProject, by_ada: int) -> None:
    """Deploy, and let strangers correct what was never learned; ada gives the first corrections."""
    life.deploy()
    life.visit(STRANGERS)
    with life.registry() as registry, registry.exchanges.database.transaction() as connection:
        connection.execute("""UPDATE feedback SET "by" = 'ada' WHERE id <= ?""", (by_ada,))


def test_a_person_s_corrections_leave_the_data_that_they_were_added_to(life: TrialProject) -> None:
    corrected(life, by_ada=3)
    life.reconcile("--yes")
    assert life.mlm("show", "lessons", "--json").json["rows"] == {"train": len(LESSONS) + 10}

    certificate = erase(life)["certificate"]

    assert isinstance(certificate, dict)
    assert certificate["datasets"] == [["corrections@1", "corrections@2"], ["lessons@2", "lessons@3"]]
    assert (certificate["rows"], certificate["exchanges"]) == (6, 3)
    assert [a["value"] for a in life.mlm("plan", "--json").json["amendments"]] == ["corrections@2"]
    life.run()
    assert life.mlm("show", "lessons", "--json").json["rows"] == {"train": len(LESSONS) + 7}
    assert broken(life.folder / ".mlm") == []


def test_a_proposal_adds_what_an_erasure_left_of_its_rows_and_is_done_with_them(life: TrialProject) -> None:
    corrected(life, by_ada=3)
    assert [action["kind"] for action in life.reconcile()["actions"]] == ["propose"]

    erase(life)
    found = life.reconcile("--yes")

    assert found["actions"][0]["text"] == "proposal 1 is approved by tester: add corrections@2 to lessons"
    assert life.mlm("show", "lessons", "--json").json["rows"] == {"train": len(LESSONS) + 7}
    for _ in range(2):
        life.visit([*life.lessons(), *STRANGERS[3:]], times=6)
        found = life.reconcile("--yes")
    assert "proposal 1 is done: chat@2 learned from it" in [action["text"] for action in found["actions"]]
    assert broken(life.folder / ".mlm") == []


@pytest.mark.parametrize("approved", [(), ("--yes",)])
def test_a_proposal_of_whose_rows_none_is_left_is_rejected(life: TrialProject, approved: tuple[str, ...]) -> None:
    corrected(life, by_ada=10)
    life.reconcile(*approved)

    erase(life)

    with life.registry() as registry:
        assert [proposal.state for proposal in registry.improvements.proposals()] == ["rejected"]
    assert life.mlm("plan", "--json").json["amendments"] == []
    assert life.mlm("reconcile", "--yes").code == 0
    assert life.run()["lessons"] == "cached"
    assert broken(life.folder / ".mlm") == []


def test_a_row_that_was_set_aside_is_erased_and_does_not_come_back(project: TrialProject) -> None:
    odd = {"text": 77, "user": "ann", "note": "ann lives at Elm Street 5"}
    kept = {"text": "a river", "user": "bob", "note": ""}
    project.jsonl("lessons.jsonl", [odd, kept, {**kept, "text": "a sea"}])
    project.write(
        '[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\non_error = "set-aside"\nsteps = ["normalize"]\n'
    )
    project.run()
    assert "Elm Street" in project.mlm("data", "sample", "lessons", "--removed", "--json").out

    assert project.mlm("erase", "--subject", "ann", "--reason", "asked to", "--yes").code == 0
    before = holdings_of(project, b"Elm Street")
    project.jsonl("lessons.jsonl", [odd, kept, {**kept, "text": "a sea"}, {**kept, "text": "a lake"}])
    project.run()

    assert (before, holdings_of(project, b"Elm Street")) == ([], [])
    assert "Elm Street" not in project.mlm("data", "sample", "lessons", "--removed", "--json").out


SAMPLE = ["data", "sample", "lessons", "--removed", "--json"]


@pytest.mark.parametrize("user", [{"id": 7, "name": ["Ann", "ann"]}, ["ann"], '{"name": "ann"}'])
def test_a_person_is_found_in_a_record_of_persons(project: TrialProject, user: Any) -> None:
    def about(user: Any, text: Any) -> dict[str, Any]:
        return {"text": text, "subject": "a letter", "user": user}

    other = json.loads(json.dumps(user).replace("ann", "bob").replace("Ann", "Bob"))
    elm, oak = about(user, "ann lives at Elm Street 5"), about(other, "bob lives at Oak Street 5")
    odd = about(user, [f"{elm['text']}, on the left"])
    project.jsonl("lessons.jsonl", [oak, elm, elm, odd, about(other, "a sea"), about(None, "a river")])
    data = 'use = "jsonl"\npath = "lessons.jsonl"\non_error = "set-aside"\nsteps = ["exact"]\n'
    project.write(f"[data.lessons]\n{data}")
    project.run()
    assert project.mlm("show", "lessons", "--json").json["rows"] == {"train": 4}

    answer = project.mlm("erase", "--subject", "ann", "--reason", "asked to", "--yes", "--json")

    assert answer.code == 0, answer.err
    assert answer.json[0]["certificate"]["rows"] == 3
    project.write(f"[data.lessons]\n{data}\n[data.later]\n{data}")
    assert project.ran() == {"later"}
    assert holdings_of(project, b"Elm Street") == []
    assert holdings_of(project, b"Oak Street") == ["later@1", "lessons@2"]
    for name in ("lessons", "later"):
        assert project.mlm("show", name, "--json").json["rows"] == {"train": 3}


def test_a_record_of_no_format_is_erased_by_whom_it_is_about(project: TrialProject) -> None:
    project.jsonl("lessons.jsonl", [{"words": "Elm Street 5", "user": "ann"}, {"prompt": "a", "completion": "b"}])
    project.write('[data.lessons]\nuse = "instructions"\npath = "lessons.jsonl"\n')
    project.run()
    assert holdings_of(project, b"Elm Street") == ["lessons@1"]

    assert project.mlm("erase", "--subject", "ann", "--reason", "asked to", "--yes").code == 0

    assert holdings_of(project, b"Elm Street") == []


def test_a_line_that_cannot_be_parsed_is_erased_by_its_id_alone_and_the_certificate_says_so(
    project: TrialProject,
) -> None:
    lines = '{"text": "Elm Street 5", "user": "ann"\n{"text": "a river", "user": "bob"}\n'
    (project.folder / "lessons.jsonl").write_text(lines, encoding="utf-8")
    source = 'use = "jsonl"\npath = "lessons.jsonl"\non_error = "set-aside"\n'
    project.write(f"[data.lessons]\n{source}")
    project.run()

    assert project.mlm("erase", "--subject", "ann").code == 1
    (line,) = project.mlm(*SAMPLE, "--reason", "malformed").json
    answer = project.mlm("erase", "--row", line["row_id"], "--reason", "asked to", "--yes", "--json")

    (done,) = answer.json
    assert any("could not be parsed" in stays and "(--row)" in stays for stays in done["certificate"]["remains"])
    assert holdings_of(project, b"Elm Street") == []
    (project.folder / "lessons.jsonl").write_text(f'{lines}{{"text": "a sea", "user": "bob"}}\n', encoding="utf-8")
    project.run()
    assert holdings_of(project, b"Elm Street") == []


def test_a_person_leaves_every_part_of_a_split_and_the_others_stay_in_order(
    project: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm.shards.GROUP_ROWS", 4)
    monkeypatch.setattr("mlm.dataset_writer.GROUP_ROWS", 4)
    users = ["ada", *["bob"] * 6, "ada", "bob", "bob"]
    project.jsonl("lessons.jsonl", [{"text": f"row {i}  ", "user": user} for i, user in enumerate(users)])
    project.write('[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\nsteps = ["normalize"]\n')
    project.run()

    (before,) = project.mlm("erase", "--subject", "ada", "--json").json
    certificate = erase(project)["certificate"]

    assert isinstance(certificate, dict)
    assert (before["certificate"]["rows"], certificate["rows"]) == (2, 2)
    assert project.mlm("show", "lessons", "--json").json["rows"] == {"train": 8}
    with project.registry() as registry:
        data = Dataset(registry.objects.path(registry.node("lessons").digest))
        assert len(data.files) == 3
        assert [(row["text"], row["user"]) for row in data.rows()] == [
            (f"row {i}", "bob") for i, user in enumerate(users) if user == "bob"
        ]
        assert len(list(data.changed())) == 8


LABELLED = """
[data.talks]
use = "jsonl"
path = "talks.jsonl"

[data.labelled]
use = "mix"
inputs = ["talks"]
steps = [{{ use = "label-by-people", labels = ["good", "bad"], format = "{form}", file = "given.{form}" }}]
"""


def to_label(project: TrialProject, form: str) -> Path:
    """Let rows of ada and bob wait for labels; return the file of the rows to label."""
    project.jsonl("talks.jsonl", [{"text": f"{who} said this", "user": who} for who in ("bob", "ada", "bob", "ada")])
    (project.folder / f"given.{form}").touch()
    project.write(LABELLED.format(form=form))
    assert "4 rows wait" in project.mlm("run").out
    return project.folder / f"given.to_label.{form}"


@pytest.mark.parametrize(("form", "lines"), [("jsonl", [2, 4]), ("csv", [3, 5])])
def test_rows_that_wait_for_labels_are_named_by_file_and_line(
    project: TrialProject, form: str, lines: list[int]
) -> None:
    todo = to_label(project, form)

    would = project.mlm("erase", "--subject", "ada")
    (done,) = project.mlm("erase", "--subject", "ada", "--reason", "asked to", "--yes", "--json").json
    shown = project.mlm("erase", "--certificate", done["digest"]).out

    assert done["certificate"]["files"] == [[todo.name, lines]]
    told = f"file     {todo.name}: lines {lines[0]}, {lines[1]} hold them, and mlm leaves it to you to delete these"
    assert told in would.out
    assert told in shown


def test_labels_that_name_their_row_or_their_person_are_named_too(
    project: TrialProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlm.row_files._AT_ONCE", 3)
    todo = to_label(project, "jsonl")
    of_bob, of_ada = todo.read_text().splitlines()[:2]
    named = json.dumps({"row_id": "0", "label": "good", "user": "ada"})
    (project.folder / "given.jsonl").write_text(f"{of_bob}\nno JSON\n{of_ada}\n{named}\n")

    (would,) = project.mlm("erase", "--subject", "ada", "--json").json

    assert would["certificate"]["files"] == [["given.jsonl", [3, 4]], ["given.to_label.jsonl", [2, 4]]]


def test_a_row_that_waits_and_is_stored_nowhere_is_erased_by_its_id(project: TrialProject) -> None:
    steps = '[{ use = "label-by-people", labels = ["good", "bad"], file = "given.jsonl" }]'
    project.jsonl("talks.jsonl", [{"text": "this"}, {"text": "that"}])
    (project.folder / "given.jsonl").touch()
    project.write(f'[data.talks]\nuse = "jsonl"\npath = "talks.jsonl"\nsteps = {steps}\n')
    project.mlm("run")
    todo = project.folder / "given.to_label.jsonl"
    row_id = json.loads(todo.read_text().splitlines()[0])["row_id"]

    (done,) = project.mlm("erase", "--row", row_id, "--reason", "asked to", "--yes", "--json").json
    project.mlm("run")

    assert done["certificate"]["files"] == [[todo.name, [1]]]
    assert [json.loads(line)["text"] for line in todo.read_text().splitlines()] == ["that"]


def holdings_of(project: TrialProject, secret: bytes) -> list[str]:
    """Name the datasets whose stored files hold some bytes; Parquet is read, for it is compressed."""
    import pyarrow.parquet as pq

    with project.registry() as registry:
        here = [node for node in registry.nodes(kind="dataset") if registry.objects.has(node.digest)]
        files = [(node.ref, file) for node in here for file in registry.objects.path(node.digest).rglob("*.parquet")]
        return [ref for ref, file in files if secret.decode() in str(pq.read_table(file).to_pylist())]
