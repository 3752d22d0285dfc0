"""A sandbox in which the commands of a page run: the starter project, made quick."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import frozen

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FAKES = ROOT / "tests" / "plugins_for_tests"
PLUGIN = ROOT / "docs" / "tutorial" / "mlm-shout"


@frozen
class Outcome:
    """What one command of a page said, and its exit code."""

    code: int
    out: str


@frozen
class Sandbox:
    """A folder, and an environment that finds mlm and the plugins of tests and pages."""

    folder: Path
    port: int

    def run(self, commands: Sequence[str]) -> list[Outcome]:
        """Run commands in one shell, as a reader types them; what runs in the background ends with the last."""
        said = self.folder / "said"
        said.mkdir(exist_ok=True)
        lines = [f"{{ {command}\n}} > {said}/{i} 2>&1; echo $? > {said}/{i}.code" for i, command in enumerate(commands)]
        script = "\n".join([f"cd {shlex.quote(str(self.place))}", *lines, f"kill $(jobs -p) 2> {said}/end; wait"])
        subprocess.run(["bash", "-c", script], env=self.environment, timeout=540, check=False)
        return [
            Outcome(int((said / f"{i}.code").read_text()), (said / str(i)).read_text(encoding="utf-8"))
            for i in range(len(commands))
        ]

    @property
    def place(self) -> Path:
        """Where the reader stands: the project, if there is one already."""
        project = self.folder / "project"
        return project if project.exists() else self.folder

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(map(str, (FAKES, self.folder, self.folder / "mlm-shout" / "src")))
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, (path, os.environ.get("PYTHONPATH")))),
            "MLM_USER": "tester",
            "COLUMNS": "140",
        }

    def typed(self, command: str) -> list[str]:
        """Return what runs for a command of a page; a project that it writes is made quick."""
        command = command.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        if not command.startswith("mlm init "):
            return [command]
        quick = shlex.join([sys.executable, str(HERE / "quick.py"), command.split()[-1], str(self.port)])
        return [f"{command} && {quick}"]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _install(folder: Path) -> None:
    """Do for the tutorial's distribution what `pip install --editable` does, in a folder of its own."""
    shutil.copytree(PLUGIN, folder / "mlm-shout", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    groups = project["entry-points"]
    points = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(points), encoding="utf-8")


def _publish(project: Path) -> None:
    """Write a model of one weight, as one would be downloaded."""
    folder = project / "models" / "SmolLM2-135M"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}', encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(4)
    (folder / "model.safetensors").write_bytes(content)


def _done(sandbox: Sandbox, *commands: str) -> None:
    for command, outcome in zip(commands, sandbox.run(commands), strict=True):
        assert outcome.code == 0, f"{command}\n{outcome.out}"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A folder with the tutorial's plugin, installed."""
    sandbox = Sandbox(tmp_path_factory.mktemp("empty"), _free_port())
    _install(sandbox.folder)
    return sandbox


@pytest.fixture(scope="session")
def bare(empty: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A folder in which the tutorial's plugin is installed and not yet written."""
    sandbox = _copied(empty, tmp_path_factory.mktemp("bare"))
    shutil.rmtree(sandbox.folder / "mlm-shout")
    return sandbox


def _copied(sandbox: Sandbox, folder: Path) -> Sandbox:
    shutil.copytree(sandbox.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("said"))
    return Sandbox(folder, sandbox.port)


@pytest.fixture(scope="session")
def ran(empty: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A project whose steps all ran."""
    sandbox = _copied(empty, tmp_path_factory.mktemp("ran"))
    _done(sandbox, *sandbox.typed("mlm init atlas project"))
    _publish(sandbox.place)
    _done(sandbox, "mlm run")
    return sandbox


@pytest.fixture(scope="session")
def complained(ran: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A project that serves, and whose visitors found it wanting."""
    sandbox = _copied(ran, tmp_path_factory.mktemp("complained"))
    _done(
        sandbox,
        "mlm promote int8",
        "mlm deploy api",
        "mlm serve api &",
        "mlm traffic data/visitors_islands.jsonl --requests 240 --feedback",
    )
    return sandbox


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    """A copy of the state that the test names."""
    return _copied(request.getfixturevalue(request.param), tmp_path)
