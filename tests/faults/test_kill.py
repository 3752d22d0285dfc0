"""`kill -9` at 300 seeded moments: nothing is lost, nothing is half there, and the work goes on."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen
from invariants import broken
from trial import LESSONS, LIFE, TrialProject

SEED = 3
AGAIN = [{**row, "user": "ada" if number % 3 == 0 else "bob"} for number, row in enumerate(LESSONS)]
"""The lessons, with the person whom each row is about."""


@frozen
class Verb:
    """A command to be killed, what must have happened before it, and how often it is killed."""

    arguments: Sequence[str]
    kills: int
    before: Sequence[Sequence[str]] = field(factory=tuple)

    @property
    def name(self) -> str:
        return self.arguments[0]


RUN, PROMOTE, DEPLOY = ("run",), ("promote", "chat"), ("deploy",)
VERBS = [
    Verb(RUN, 80),
    Verb(PROMOTE, 40, [RUN]),
    Verb(("recall", "lessons", "--reason", "poisoned"), 50, [RUN, PROMOTE, DEPLOY]),
    Verb(("erase", "--subject", "ada", "--reason", "asked to", "--yes"), 80, [RUN, PROMOTE]),
    Verb(("retire", "chat", "--reason", "old"), 30, [RUN, PROMOTE]),
    Verb(("gc", "--yes"), 20, [RUN, PROMOTE]),
]
assert sum(verb.kills for verb in VERBS) == 300


@frozen
class Killer:
    """Runs and kills commands in processes of their own; see `killing.py`."""

    process: subprocess.Popen[str]

    def order(self, folder: Path, verb: Sequence[str], **moment: float) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"folder": str(folder), "verb": list(verb), **moment}) + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    script = Path(__file__).with_name("killing.py")
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "MLM_USER": "tester"},
    ) as process:  # fmt: skip
        yield Killer(process)


@pytest.mark.heavy
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_kill_at_any_moment_loses_nothing_and_the_work_goes_on(verb: Verb, killer: Killer, tmp_path: Path) -> None:
    ready = _prepared(tmp_path / "ready", verb, killer)
    whole = _copy(ready, tmp_path / "whole")
    taken = killer.order(whole, verb.arguments)
    assert taken["code"] == 0, f"{verb.name} fails by itself"
    lines = killer.order(_copy(ready, tmp_path / "counted"), verb.arguments, line=0)["lines"]
    chance = random.Random(f"{SEED} {verb.name}")
    struck = 0
    for number in range(verb.kills):
        moment = (
            {"line": chance.randint(1, lines)} if number % 2 else {"seconds": chance.uniform(0, taken["seconds"] * 1.1)}
        )
        place = _copy(ready, tmp_path / "killed")
        struck += killer.order(place, verb.arguments, **moment)["signal"] == 9
        assert broken(place / ".mlm") == [], f"{verb.name} killed at {moment}"

        again = killer.order(place, verb.arguments)

        assert again["code"] in (0, 1), f"{verb.name} killed at {moment}"
        assert broken(place / ".mlm") == [], f"{verb.name} again after {moment}"
        assert _end(place) == _end(whole), f"{verb.name} killed at {moment} did not end as it does by itself"
        shutil.rmtree(place)
    assert struck >= verb.kills * 0.7, "too few kills met the command at work"
    print(f"tried: {verb.kills} kills of {verb.name}, {struck} at work; lost: nothing")


def _prepared(folder: Path, verb: Verb, killer: Killer) -> Path:
    folder.mkdir()
    project = TrialProject(folder)
    project.jsonl("lessons.jsonl", AGAIN)
    project.jsonl("exam.jsonl", LESSONS[:30])
    project.write(LIFE)
    for earlier in verb.before:
        assert killer.order(folder, earlier)["code"] == 0
    return folder


def _copy(source: Path, target: Path) -> Path:
    # Hard links of laid-out directories become files of their own, which admission checks too.
    return Path(shutil.copytree(source, target))


def _end(folder: Path) -> dict[str, Any]:
    """Return what a verb brought about: nodes and digests, states, aliases, recalls, tombstones."""
    with TrialProject(folder).registry() as registry:
        return {
            "nodes": {(node.name, node.digest) for node in registry.nodes() if node.kind != "report"},
            "states": {(v.node.name, v.state, v.recalled) for v in registry.models.versions()},
            "aliases": {(alias.name, registry.node(alias.node).ref) for alias in registry.models.aliases()},
            "recalled": {recall.subject for recall in registry.recalls.standing()},
            "buried": set(registry.erasures.buried()),
        }
