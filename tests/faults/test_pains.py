"""What hurts with plugins of other systems, each tried here: none of it may happen."""

from __future__ import annotations

import os
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
    assert (
        "command 'wave' is in acme-wave and bolt-wave: `MLM_PLUGINS_DENY=bolt-wave:commands/wave`, or `deny` in"
        " [plugins], leaves that of acme-wave"
    ) in refused.err
    assert "From acme-wave and bolt-wave." in project.mlm("--help").out
    listed = [one["reason"] for one in project.mlm("plugins", "--json").json if one["name"] == "wave"]
    assert listed == [
        "`MLM_PLUGINS_DENY=bolt-wave:commands/wave`, or `deny` in [plugins], leaves that of acme-wave",
        "`MLM_PLUGINS_DENY=acme-wave:commands/wave`, or `deny` in [plugins], leaves that of bolt-wave",
    ]
    monkeypatch.setenv("MLM_PLUGINS_DENY", "bolt-wave:commands/wave")
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


TALKER = """
import sys
from attrs import define
import mlm
from acme_talk.words import greeting

@define(kw_only=True)
class Trainer:
    '''Talks while it trains, and may leave.'''

    leave: bool = mlm.setting(False, help="ends the process")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        print(greeting())
        if self.leave:
            sys.exit(0)
        (context.folder / "memory.json").write_text("{}")
        return mlm.Model(context.folder, "memory")
"""


@pytest.fixture
def talking(sound: TrialProject, site: Path) -> Iterator[TrialProject]:
    """A project whose trainer is a package of two modules."""
    distribution(site, "acme-talk", {"trainers/talk": "Trainer"})
    (site / "acme_talk.py").unlink()
    package = site / "acme_talk"
    package.mkdir()
    (package / "__init__.py").write_text("from acme_talk.training import Trainer as Trainer\n")
    (package / "training.py").write_text(TALKER)
    (package / "words.py").write_text("def greeting():\n    return 'hello'\n")
    sound.change('use = "memory"', 'use = "talk"')
    yield sound
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_talk"]:
        del sys.modules[name]


def test_what_a_plugin_prints_is_not_in_the_answer_for_programs(talking: TrialProject) -> None:
    answer = talking.mlm("run", "--json", "chat")

    assert {step["name"]: step["status"] for step in answer.json["steps"]}["chat"] == "ran"
    assert "hello" in answer.err


def test_a_plugin_that_ends_the_process_is_a_failed_step(talking: TrialProject) -> None:
    talking.change('use = "talk"', 'use = "talk"\nleave = true')

    answer = talking.mlm("run", "--json", "chat")

    (chat,) = [step for step in answer.json["steps"] if step["name"] == "chat"]
    assert (answer.code, chat["status"], "SystemExit: 0" in chat["error"]) == (1, "failed", True)


def test_a_step_is_run_again_when_a_module_that_its_plugin_imports_has_changed(
    talking: TrialProject, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlm import code, fingerprints

    talking.run("chat")
    assert talking.ran("chat") == set()
    (site / "acme_talk" / "words.py").write_text("def greeting():\n    return 'good morning'\n")
    # A process remembers what code it has: this stands for the next one.
    monkeypatch.setattr(code, "file_digest", code.file_digest.__wrapped__)
    monkeypatch.setattr(fingerprints, "code_digest", code.code_digest.__wrapped__)

    assert talking.ran("chat") == {"chat"}


@pytest.mark.parametrize("name", ["memory", "mlm-fakes/memory", "mlm-fakes:trainers/memory", "MLM_fakes/memory"])
def test_a_plugin_has_the_same_names_everywhere(sound: TrialProject, name: str) -> None:
    sound.change('use = "memory"', f'use = "{name}"')

    assert sound.mlm("plan").code == 0
    assert sound.mlm("plugins", "show", name).code == 0
    sound.change("[requirements", '[plugins]\ndeny = ["mlm_fakes"]\n\n[requirements')
    assert 'may not be used: `deny` has "mlm_fakes"' in sound.mlm("plan").error


@pytest.mark.parametrize("pattern", ["memory", "trainers/memory", "mlm-fakes", "mlm-fakes:*", "*:trainers/*"])
def test_denying_is_generous(sound: TrialProject, pattern: str) -> None:
    sound.change("[requirements", f'[plugins]\ndeny = ["{pattern}"]\n\n[requirements')

    assert "may not be used" in sound.mlm("plan").error


@pytest.mark.parametrize("pattern", ["memory", "trainers/memory"])
def test_allowing_is_not(sound: TrialProject, pattern: str) -> None:
    sound.change("[requirements", f'[plugins]\nallow = ["mlm", "{pattern}"]\n\n[requirements')

    assert "may not be used" in sound.mlm("plan").error


@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        ('deny = ["mlm-fake"]', '`deny` has "mlm-fake", which matches no installed plugin: mend it in [plugins] or'),
        ('deny = ["mlm-fake"]', "MLM_PLUGINS_DENY; did you mean 'mlm-fakes'?"),
        ('allow = ["mlm", "mlm-fakes", "memory"]', '`allow` has "memory", which matches no installed plugin'),
    ],
)
def test_a_rule_that_matches_nothing_is_warned_of(sound: TrialProject, rule: str, warning: str) -> None:
    assert sound.mlm("plugins", "list").err == ""
    sound.change("[requirements", f"[plugins]\n{rule}\n\n[requirements")

    for command in (["plugins"], ["plugins", "list"], ["plugins", "doctor", "--kind", "executors"]):
        answer = sound.mlm(*command)
        assert (answer.code, len(answer.err.splitlines()), warning in answer.err) == (0, 1, True), answer.err


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("entry_points.txt", b"\xff\xfe[mlm.trainers]\nfast = acme_bad:Trainer\n", "UnicodeDecodeError: "),
        ("entry_points.txt", b"[mlm.trainers]\nno equals sign\n", "TypeError: "),
        ("METADATA", b"Metadata-Version: 2.1\nVersion: 1.0\n", "ValueError: METADATA has no Name"),
        ("METADATA", b"\xff\xfe", "UnicodeDecodeError: "),
    ],
)
def test_a_distribution_with_broken_metadata_is_named_and_harms_nothing_else(
    sound: TrialProject, site: Path, file: str, content: bytes, reason: str
) -> None:
    distribution(site, "acme-bad", {"trainers/fast": "Trainer"}, TRAINER)
    place = site / "acme_bad-1.0.dist-info"
    (place / file).write_bytes(content)

    for command in (["plan"], ["run"], ["status"], ["--help"]):
        answer = sound.mlm(*command)
        assert (answer.code, answer.err) == (0, ""), command
    for command, code in ((["plugins", "--json"], 0), (["plugins", "doctor", "--kind", "executors", "--json"], 1)):
        answer = sound.mlm(*command)
        assert (answer.code, len(answer.err.splitlines())) == (code, 1)
        assert f"the metadata in {place} cannot be read ({reason}" in answer.err
        assert "install that distribution again" in answer.err
        assert "executors" in answer.out


def test_broken_metadata_does_not_harm_the_first_command_in_a_project(sound: TrialProject, site: Path) -> None:
    distribution(site, "acme-bad", {})
    (site / "acme_bad-1.0.dist-info" / "entry_points.txt").write_text("[mlm.trainers]\nno equals sign\n")
    path = f"{site}:{Path(__file__).parents[1] / 'plugins_for_tests'}"

    # A library that is imported only now may look through all entry points of its own accord.
    done = subprocess.run(
        [sys.executable, "-m", "mlm", "-C", sound.folder, "run"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_what_others_have_broken_is_theirs(sound: TrialProject, site: Path) -> None:
    distribution(site, "stranger", {})
    (site / "stranger-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\nno equals sign\n")

    assert sound.mlm("plugins").err == ""


def test_a_method_that_was_not_marked_is_named(sound: TrialProject, site: Path) -> None:
    distribution(site, "acme-bare", {"trainers/bare": "Trainer"}, TRAINER.replace("    @mlm.hookimpl\n", ""))
    sound.change('use = "memory"', 'use = "bare"')

    assert "`mlm_train` is not marked; write `@mlm.hookimpl` above it" in sound.mlm("plan").error


def test_a_requirement_on_a_model_that_nobody_serves_says_what_to_add(life: TrialProject) -> None:
    life.change('[deployment.api]\nuse = "shelf"\nmodel = "chat"', '[deployment.api]\nuse = "shelf"\nmodel = "other"')
    life.change("[deployment.api]", '[training.other]\nuse = "memory"\ndata = "lessons"\n\n[deployment.api]')

    refused = life.mlm("plan").error

    assert "'quality' measures exact_match on chat, which no [deployment.<name>] serves" in refused
    assert 'or serve that one (`model = "chat"`)' in refused
    life.change('metric = "exact_match"', 'metric = "exact_mach"')
    assert "did you mean 'exact_match'?" in life.mlm("plan").error


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
        command = [sys.executable, "-m", "mlm", "-C", str(sound.folder), *arguments]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        file = site / "imported"
        return file.read_text().splitlines() if file.exists() else []

    assert imported("--help") == []
    assert imported("plugins", "list") == []
    assert imported("run") == []
    sound.change('use = "memory"', 'use = "slow7"')
    assert imported("plan") == ["7"]
