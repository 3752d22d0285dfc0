"""A broken, a slow, a crashing and a lying plugin in one environment: what needs none of them works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from making import distribution
from trial import TrialProject

from mlm.cli.main import COMMANDS

BROKEN = "import a_library_that_nobody_has"
SLOW = """
import time
time.sleep(1.2)
import click
from attrs import define
import mlm

@define(kw_only=True)
class Trainer:
    '''Learns nothing, after a while.'''

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        (context.folder / "memory.json").write_text("{}")
        return mlm.Model(context.folder, "memory")
"""
CRASHING = """
import os
from attrs import define
import mlm

@define(kw_only=True)
class Trainer:
    '''Raises, or takes the process with it.'''

    hard: bool = mlm.setting(False, help="ends the process")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        if self.hard:
            os.kill(os.getpid(), 11)
        raise ZeroDivisionError("in the middle")
"""
LYING = """
from attrs import define
import mlm

@define(kw_only=True)
class Trainer:
    '''Says that a text is a model.'''

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        return "a model"

@define(kw_only=True)
class Check:
    '''Says that a truth is a verdict.'''

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate) -> mlm.Verdict:
        return True
"""
CODE = {"broken": BROKEN, "slow": SLOW, "crashing": CRASHING, "lying": LYING}
RESPONSE = "{response}"
COMMANDS_THAT_NEED_NONE = {
    "review": [],
    "plan": [],
    "run": [],
    "status": [],
    "show": ["chat"],
    "data": ["show", "lessons"],
    "trace": [RESPONSE],
    "responses": [],
    "cite": [RESPONSE],
    "replay": ["chat"],
    "impact": ["chat"],
    "recall": ["--list"],
    "promote": ["chat@1"],
    "sign": ["chat@1", "--key", "{folder}/key.pem"],
    "admit": ["chat@1"],
    "history": ["production"],
    "who-served": ["--at", "2100-01-01T00:00:00+00:00"],
    "retire": ["chat@2", "--reason", "nobody asked for it"],
    "deploy": [],
    "serve": ["api"],
    "feedback": [RESPONSE, "--up"],
    "reconcile": ["--yes"],
    "card": ["chat"],
    "report": [],
    "audit": ["verify"],
    "export": ["--openlineage"],
    "erase": ["--reapply"],
    "push": [],
    "pull": [],
    "gc": [],
    "plugins": [],
    "init": ["atlas", "{folder}/new"],
    "schema": [],
}
NEEDS_AN_ENDPOINT = {"traffic"}


@pytest.fixture
def beset(life: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialProject]:
    """A project that uses none of the four, which are all installed."""
    site = tmp_path / "site"
    for name, code in CODE.items():
        points = {f"trainers/{name}": "Trainer", f"commands/{name}": "Command", f"checks/{name}": "Check"}
        distribution(site, f"acme-{name}", points, code)
    monkeypatch.syspath_prepend(str(site))
    yield life
    for name in CODE:
        sys.modules.pop(f"acme_{name}", None)


def key(folder: Path) -> None:
    """Write a private key to sign with."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    text = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(text)


def test_every_command_that_needs_none_of_a_broken_a_slow_a_crashing_and_a_lying_plugin_works(
    beset: TrialProject, tmp_path: Path
) -> None:
    assert set(COMMANDS_THAT_NEED_NONE) | NEEDS_AN_ENDPOINT == set(COMMANDS)
    key(beset.folder)
    beset.change("[requirements]", f'[registry]\nremote = "{tmp_path / "remote"}"\n\n[requirements]')
    beset.deploy()
    beset.visit(beset.lessons()[:5])
    beset.jsonl("lessons.jsonl", beset.lessons()[1:])
    beset.run()
    (response,) = beset.mlm("responses", "--ids", "--limit", "1").out.split()

    assert beset.mlm("--help").code == 0
    for command, arguments in COMMANDS_THAT_NEED_NONE.items():
        words = [word.format(response=response, folder=beset.folder) for word in arguments]
        answer = beset.mlm(command, *words)
        assert (answer.code, "Error" in answer.err) == (0, False), f"{command}: {answer.err}"
        # The schema describes the settings of all that can be imported; nothing else imports what it does not need.
        assert command == "schema" or not {f"acme_{name}" for name in CODE} & set(sys.modules), command

    listed = {one["distribution"]: one["state"] for one in beset.mlm("plugins", "--json").json}
    assert {listed[f"acme-{name}"] for name in CODE} == {"ready"}


@pytest.mark.parametrize("command", [["plan"], ["run"]])
def test_what_needs_the_broken_one_says_why_not_and_what_to_do(beset: TrialProject, command: list[str]) -> None:
    beset.change('use = "memory"', 'use = "broken"')
    line = f"{beset.folder.parent / 'site' / 'acme_broken.py'}:1"

    refused = beset.mlm(*command)

    assert (refused.code, refused.error) == (
        1,
        "Error: acme-broken:trainers/broken 1.0 cannot be imported: ModuleNotFoundError: No module named"
        f" 'a_library_that_nobody_has'; upgrade or remove acme-broken  [{line}]  [mlm.toml, training.chat.use]",
    )
    called = beset.mlm("broken")
    assert (called.code, called.error.startswith("Error: acme-broken:commands/broken 1.0 cannot be imported")) == (
        1, True,
    )  # fmt: skip


def test_what_needs_the_slow_one_works_and_the_doctor_says_what_is_slow(beset: TrialProject) -> None:
    beset.change('use = "memory"', 'use = "slow"')

    assert beset.run("chat")["chat"] == "ran"
    examined = beset.mlm("plugins", "doctor", "acme-slow:trainers/slow", "--json")
    (one,) = examined.json
    assert (examined.code, one["ok"], one["seconds"] > 1.2) == (0, True, True)
    assert "its import is slow, and every command that uses it waits" in one["notes"][0]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("", "ZeroDivisionError: in the middle  [acme_crashing.py:"),
        ("hard = true\nisolate = true", "the process of the step was ended by SIGSEGV"),
    ],
)
def test_what_needs_the_crashing_one_says_why_not_and_what_to_do(
    beset: TrialProject, settings: str, reason: str
) -> None:
    beset.change('use = "memory"', f'use = "crashing"\n{settings}')

    failed = beset.mlm("run")

    assert (failed.code, "Traceback" in failed.err) == (1, False)
    (line,) = [line for line in (failed.out + failed.err).splitlines() if "FAILED" in line and "chat" in line]
    assert reason in line
    assert "next: mend it and run again; `mlm --debug run chat` shows where it failed" in failed.out
    assert beset.mlm("status").code == 0


def test_what_needs_the_lying_one_says_why_not_and_what_to_do(beset: TrialProject) -> None:
    blame = "acme-lying:trainers/lying 1.0: mlm_train returned str, expected Model; a defect of acme-lying: upgrade it"
    beset.change('use = "memory"', 'use = "lying"')

    failed = beset.mlm("run")

    assert failed.code == 1
    (line,) = [line for line in (failed.out + failed.err).splitlines() if "FAILED" in line and "chat" in line]
    assert blame in line

    beset.change('use = "lying"', 'use = "memory"')
    beset.change("[requirements]", '[governance]\nchecks = ["lying"]\n\n[requirements]')
    beset.run()
    refused = beset.mlm("promote", "chat")
    assert (refused.code, "mlm_check returned bool, expected Verdict" in refused.error) == (1, True)


def test_the_doctor_sorts_them_out(beset: TrialProject) -> None:
    names = [f"acme-{name}:trainers/{name}" for name in CODE]

    examined = beset.mlm("plugins", "doctor", *names, "--json")

    assert examined.code == 1
    assert {one["identity"]: one["ok"] for one in examined.json} == dict(
        zip(names, (False, True, True, True), strict=True)
    )
