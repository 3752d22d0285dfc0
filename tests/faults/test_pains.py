"""What hurts with plugins of other systems, each tried here: none of it may happen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from making import distribution
from trial import TrialProject

TRAINER = """
from attrs import define
import mlm

@define(kw_only=True)
class Trainer:
    '''Trains nothing.'''

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        raise RuntimeError("never called")
"""
COMMAND = """
import click
from attrs import define
import mlm

@define(kw_only=True)
class Wave:
    '''Waves.'''

    @mlm.hookimpl
    def mlm_command(self) -> click.Command:
        return click.Command("wave", callback=lambda: click.echo("{who} waves"))
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions, on the path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for file in folder.glob("*.py"):
        sys.modules.pop(file.stem, None)


def test_two_distributions_with_one_name_are_both_named_and_one_line_settles_it(
    sound: TrialProject, site: Path
) -> None:
    for name in ("acme-train", "bolt-train"):
        distribution(site, name, {"trainers/fast": "Trainer"}, TRAINER)
    sound.change('use = "memory"', 'use = "fast"')

    refused = sound.mlm("plan")

    assert "trainer 'fast' is in acme-train and bolt-train: choose with `use = \"acme-train/fast\"`" in refused.error
    listed = {one["distribution"]: one for one in sound.mlm("plugins", "--json").json if one["name"] == "fast"}
    assert [listed[name]["state"] for name in ("acme-train", "bolt-train")] == ["conflict", "conflict"]
    assert listed["bolt-train"]["reason"] == '`use = "bolt-train/fast"` chooses this one'
    sound.change('use = "fast"', 'use = "acme-train/fast"')
    assert sound.mlm("plan").code == 0


def test_denying_one_of_two_settles_it_too(sound: TrialProject, site: Path) -> None:
    for name in ("acme-train", "bolt-train"):
        distribution(site, name, {"trainers/fast": "Trainer"}, TRAINER)
    sound.change('use = "memory"', 'use = "fast"')
    sound.change("[requirements", '[plugins]\ndeny = ["bolt-*"]\n\n[requirements')

    assert sound.mlm("plan").code == 0

    sound.change('use = "fast"', 'use = "bolt-train/fast"')
    assert 'bolt-train:trainers/fast may not be used: `deny` has "bolt-*"' in sound.mlm("plan").error


def test_two_commands_with_one_name_are_an_error_and_not_the_last_one(
    site: Path, monkeypatch: pytest.MonkeyPatch, project: TrialProject
) -> None:
    for name in ("acme-wave", "bolt-wave"):
        distribution(site, name, {"commands/wave": "Wave"}, COMMAND.replace("{who}", name))

    refused = project.mlm("wave")

    assert refused.code == 2
    assert "command 'wave' is in acme-wave and bolt-wave: MLM_PLUGINS_DENY=bolt-wave leaves the other" in refused.err
    assert "From acme-wave and bolt-wave." in project.mlm("--help").out
    monkeypatch.setenv("MLM_PLUGINS_DENY", "bolt-wave")
    assert project.mlm("wave").out == "acme-wave waves\n"


def test_a_command_of_a_plugin_cannot_take_the_place_of_a_command_of_mlm(site: Path, project: TrialProject) -> None:
    distribution(site, "acme-run", {"commands/plugins": "Wave"}, COMMAND.replace("{who}", "acme"))

    assert "waves" not in project.mlm("plugins").out


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import not_there", "cannot be imported: ModuleNotFoundError: No module named 'not_there'"),
        ("raise RuntimeError('no licence')", "cannot be imported: RuntimeError: no licence"),
        ("import sys; sys.exit(3)", "its import ends the process with code 3"),
        ("import os; os.kill(os.getpid(), 11)", "its import ends the process with signal 11"),
    ],
)
def test_one_broken_import_kills_no_command_and_the_doctor_says_what_is_wrong(
    sound: TrialProject, site: Path, code: str, reason: str
) -> None:
    distribution(site, "acme-broken", {"trainers/broken": "Trainer"}, code)

    for command in (["plugins"], ["plugins", "list"], ["plan"], ["run"], ["status"], ["--help"]):
        assert sound.mlm(*command).code == 0, command
    examined = sound.mlm("plugins", "doctor", "acme-broken:trainers/broken", "--json")
    assert (examined.code, reason in examined.json[0]["problem"]) == (1, True), examined.json


def test_a_misspelt_hook_is_not_accepted_in_silence(sound: TrialProject, site: Path) -> None:
    distribution(site, "acme-typo", {"trainers/typo": "Trainer"}, TRAINER + MISSPELT)
    sound.change('use = "memory"', 'use = "typo"')

    assert "there is no hook 'mlm_trian'; did you mean 'mlm_train'?" in sound.mlm("plan").error


MISSPELT = """
    @mlm.hookimpl
    def mlm_trian(self, data: mlm.Dataset) -> mlm.Model:
        raise RuntimeError("never called")
"""


@pytest.mark.parametrize(("version", "advice"), [(99, "upgrade mlm"), (0, "upgrade acme-old")])
def test_a_plugin_for_another_version_of_the_interface_is_refused(
    sound: TrialProject, site: Path, version: int, advice: str
) -> None:
    code = TRAINER.replace("'''Trains nothing.'''", f"'''Trains nothing.'''\n    API_VERSION = {version}")
    distribution(site, "acme-old", {"trainers/old": "Trainer"}, code)
    sound.change('use = "memory"', 'use = "old"')

    refused = sound.mlm("plan").error

    assert f"was written for version {version} of the plugin interface" in refused
    assert advice in refused


def test_an_extra_that_is_missing_is_said_from_metadata_before_anything_is_imported(
    sound: TrialProject, site: Path
) -> None:
    requires = (
        "Provides-Extra: gpu\nRequires-Dist: cuda-magic>=2; extra == 'gpu'\nRequires-Dist: attrs; extra == 'gpu'\n"
    )
    code = "raise RuntimeError('imported')"
    distribution(site, "acme-gpu", {"trainers/quick": "Trainer [gpu]"}, code, requires=requires)
    sound.change('use = "memory"', 'use = "quick"')

    refused = sound.mlm("plan").error

    assert "acme-gpu:trainers/quick needs cuda-magic, not installed: pip install 'acme-gpu[gpu]'" in refused
    (listed,) = [one for one in sound.mlm("plugins", "--json").json if one["name"] == "quick"]
    assert (listed["state"], listed["reason"]) == ("lacks", "cuda-magic: pip install 'acme-gpu[gpu]'")


def test_only_what_is_allowed_is_used_where_anything_is(sound: TrialProject, monkeypatch: pytest.MonkeyPatch) -> None:
    sound.change("[requirements", '[plugins]\nallow = ["mlm", "mlm-fakes:trainers/*"]\n\n[requirements')
    assert sound.mlm("plan").code == 0

    monkeypatch.setenv("MLM_PLUGINS_DENY", "mlm-fakes:trainers/memory")

    assert 'may not be used: `deny` has "mlm-fakes:trainers/memory"' in sound.mlm("plan").error


POLICY = """
from attrs import define
import mlm

@define(kw_only=True)
class Outer:
    '''Writes down when it begins and ends.'''

    name = "{name}"

    @mlm.hookimpl(wrapper=True)
    def mlm_train(self, context: mlm.Context):
        with open(context.project / "order.txt", "a") as file:
            file.write(f"{self.name} begins\\n")
        model = yield
        with open(context.project / "order.txt", "a") as file:
            file.write(f"{self.name} ends\\n")
        return model
"""


@pytest.mark.parametrize("names", [("first", "second"), ("second", "first")])
def test_the_order_of_policies_is_the_project_s_and_plan_explains_it(
    sound: TrialProject, site: Path, names: tuple[str, str]
) -> None:
    for name in names:
        distribution(site, f"acme-{name}", {f"policies/{name}": "Outer"}, POLICY.replace("{name}", name))
    sound.change("[requirements", f'[governance]\npolicies = ["{names[0]}", "{names[1]}"]\n\n[requirements')
    outermost = [f"acme-{name}:policies/{name}" for name in reversed(names)]

    assert sound.mlm("plan", "--json").json["policies"] == outermost
    assert f"Policies, the outermost first: {', '.join(outermost)}" in sound.mlm("plan").out

    sound.run()
    inner, outer = names
    lines = (sound.folder / "order.txt").read_text().splitlines()
    assert lines == [f"{outer} begins", f"{inner} begins", f"{inner} ends", f"{outer} ends"]


@pytest.mark.heavy
def test_thirty_slow_distributions_cost_nothing_until_one_is_named(sound: TrialProject, site: Path) -> None:
    for number in range(30):
        code = f"import time; time.sleep(0.2)\nopen({str(site / 'imported')!r}, 'a').write('{number}\\n')\n{TRAINER}"
        distribution(site, f"acme-{number}", {f"trainers/slow{number}": "Trainer"}, code)
    environment = {"PYTHONPATH": f"{site}:{Path(__file__).parents[1] / 'plugins_for_tests'}"}

    def imported(*arguments: str) -> list[str]:
        command = [sys.executable, "-m", "mlm.cli", "-C", str(sound.folder), *arguments]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        file = site / "imported"
        return file.read_text().splitlines() if file.exists() else []

    assert imported("--help") == []
    assert imported("plugins", "list") == []
    assert imported("run") == []
    sound.change('use = "memory"', 'use = "slow7"')
    assert imported("plan") == ["7"]
