"""A distribution of somebody else, built as a wheel and installed beside mlm in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROJECT = """
[problem]
name = "guest"
task = "chat"
purpose = "Answer with what was learned by heart."

[data.lessons]
use = "jsonl"
path = "lessons.jsonl"

[training.chat]
use = "memorize"
data = "lessons"
"""

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment: mlm as it is here, and the wheel of the distribution, installed by pip."""
    place = tmp_path_factory.mktemp("guest")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place / "wheels", HERE / "mlm-acme"], check=True)
    subprocess.run([sys.executable, "-m", "venv", place / "env"], check=True)
    python = place / "env" / "bin" / "python"
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # mlm and what it needs come from here: installing them again would take minutes.
    shared = [sysconfig.get_path("purelib"), *(str(ROOT / part) for part in ("core", "plugins", "registry"))]
    (Path(found.stdout.strip()) / "shared.pth").write_text("\n".join(shared))
    (wheel,) = (place / "wheels").glob("*.whl")
    subprocess.run([python, "-m", "pip", "--quiet", "install", "--no-deps", "--no-index", wheel], check=True)
    return python


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"prompt": f"{n}?", "completion": f"{n}"} for n in range(5)]
    (tmp_path / "lessons.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "mlm.toml").write_text(PROJECT)
    return tmp_path


def mlm(guest: Path, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"MLM_USER": "guest", **variables}
    command = [guest, "-m", "mlm", "-C", folder, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_project_uses_its_trainer_its_check_and_its_command(guest: Path, folder: Path) -> None:
    (folder / "mlm.toml").write_text(PROJECT + '[governance]\nchecks = [{ use = "small", megabytes = 0.000001 }]\n')

    assert mlm(guest, folder, "run").returncode == 0
    assert mlm(guest, folder, "acme").stdout == "acme 2.1.0\n"
    assert "From mlm-acme." in mlm(guest, folder, "--help").stdout
    shown = json.loads(mlm(guest, folder, "show", "chat", "--json").stdout)
    assert (shown["execution"]["plugin"], shown["execution"]["distribution_version"]) == (
        "mlm-acme:trainers/memorize",
        "2.1.0",
    )
    refused = mlm(guest, folder, "promote", "chat")
    assert (refused.returncode, "MB; allowed: 1e-06 (fail)" in refused.stderr) == (1, True)


def test_its_plugins_are_listed_with_what_they_lack(guest: Path, folder: Path) -> None:
    listed = {one["name"]: one for one in json.loads(mlm(guest, folder, "plugins", "--json").stdout)}

    assert (listed["memorize"]["state"], listed["memorize"]["version"]) == ("ready", "2.1.0")
    assert listed["turbo"]["reason"] == "a-library-that-nobody-has: pip install 'mlm-acme[turbo]'"


def test_its_broken_plugin_is_blamed_and_harms_nobody_else(guest: Path, folder: Path) -> None:
    assert mlm(guest, folder, "run").returncode == 0
    examined = mlm(guest, folder, "plugins", "doctor", "mlm-acme:trainers/broken", "mlm-acme:trainers/memorize")
    assert (examined.returncode, "RuntimeError: broken on purpose" in examined.stdout) == (1, True)

    (folder / "mlm.toml").write_text(PROJECT.replace('"memorize"', '"broken"'))

    refused = mlm(guest, folder, "run")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "mlm-acme:trainers/broken 2.1.0 cannot be imported: RuntimeError: broken on purpose" in refused.stderr


def test_it_conflicts_with_another_distribution_and_one_line_settles_it(
    guest: Path, folder: Path, tmp_path: Path
) -> None:
    rival = tmp_path / "site" / "mlm_rival-1.0.dist-info"
    rival.mkdir(parents=True)
    (rival / "METADATA").write_text("Metadata-Version: 2.1\nName: mlm-rival\nVersion: 1.0\n")
    (rival / "entry_points.txt").write_text("[mlm.trainers]\nmemorize = mlm_acme.training:Memorize\n")
    path = str(rival.parent)

    refused = mlm(guest, folder, "plan", PYTHONPATH=path)
    assert "trainer 'memorize' is in mlm-acme and mlm-rival: choose with" in refused.stderr

    (folder / "mlm.toml").write_text(PROJECT.replace('"memorize"', '"mlm-acme/memorize"'))
    assert mlm(guest, folder, "plan", PYTHONPATH=path).returncode == 0


def test_it_passes_the_kit(guest: Path, folder: Path) -> None:
    for name in ("mlm-acme:trainers/memorize", "mlm-acme:checks/small", "mlm-acme:commands/acme"):
        checked = mlm(guest, folder, "plugins", "check", name, XDG_STATE_HOME=str(folder))
        assert checked.returncode == 0, checked.stdout
