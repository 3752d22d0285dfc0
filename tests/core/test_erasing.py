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


def test_no_byte_of_the_person_is_left_in_the_registry(told: TrialProject) -> None:
    store = told.folder / ".mlm"
    assert holding(store, SECRET)

    done = erase(told)

    # The weights of the model that learned by heart are said to remain, and do.
    with told.registry() as registry:
        weights = registry.objects.path(registry.node("chat@1").digest)
    left = [file for file in holding(store, SECRET) if not any(file.samefile(w) for w in weights.rglob("*.json"))]
    assert left == []
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


def test_a_person_s_corrections_leave_the_data_that_they_were_added_to(life: TrialProject) -> None:
    strangers = [{"prompt": f"Where is island {i}?", "completion": f"South of island {i + 1}."} for i in range(10)]
    life.deploy()
    life.visit(strangers)
    with life.registry() as registry, registry.exchanges.database.transaction() as connection:
        connection.execute("""UPDATE feedback SET "by" = 'ada' WHERE id <= 3""")
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


def test_a_row_that_was_set_aside_is_erased_and_does_not_come_back(project: TrialProject) -> None:
    odd = {"text": 77, "user": "ann", "note": "ann lives at Elm Street 5"}
    kept = {"text": "a river", "user": "bob", "note": ""}
    project.jsonl("lessons.jsonl", [odd, kept, {**kept, "text": "a sea"}])
    project.write('[data.lessons]\nuse = "jsonl"\npath = "lessons.jsonl"\nsteps = ["normalize"]\n')
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
    data = 'use = "jsonl"\npath = "lessons.jsonl"\nsteps = ["exact"]\n'
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


def holdings_of(project: TrialProject, secret: bytes) -> list[str]:
    """Name the datasets whose stored files hold some bytes; Parquet is read, for it is compressed."""
    import pyarrow.parquet as pq

    with project.registry() as registry:
        here = [node for node in registry.nodes(kind="dataset") if registry.objects.has(node.digest)]
        files = [(node.ref, file) for node in here for file in registry.objects.path(node.digest).rglob("*.parquet")]
        return [ref for ref, file in files if secret.decode() in str(pq.read_table(file).to_pylist())]
