"""What is imported when: a start is kept fast by what it loads, not by a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlm_registry import Execution, Node, Registry

ROOT = Path(__file__).parents[2]
HEAVY = {
    "torch", "transformers", "datasets", "trl", "accelerate", "tokenizers", "numpy", "pandas", "pyarrow",
    "sqlite_utils", "onnx", "onnxruntime", "onnxscript", "starlette", "uvicorn", "httpx", "sacrebleu",
    "rouge_score", "jinja2",
}  # fmt: skip
LIGHT_BUT_NOT_FOR_HELP = {"attr", "attrs", "cattrs", "pluggy", "rich", "blake3", "sqlite3"}
MAIN = """
from mlm.cli.main import main
try:
    main({arguments!r})
except SystemExit as left:
    assert not left.code, left.code
"""
LOAD_ALL = """
from mlm.plugins import Catalogue
catalogue = Catalogue.discover()
for ref in catalogue.refs:
    if ref.distribution == "mlm":
        catalogue.load(ref)
"""


def loaded(code: str, folder: Path = ROOT) -> set[str]:
    """Run code in a new interpreter, and return the modules that it loaded."""
    tell = "\nimport json, sys\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code + tell], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stderr.splitlines()[-1]))


def commands(*arguments: str) -> str:
    return MAIN.format(arguments=list(arguments))


def test_help_loads_click_and_the_standard_library() -> None:
    modules = loaded(commands("--help"))

    assert modules & (HEAVY | LIGHT_BUT_NOT_FOR_HELP) == set()
    # What plugins lack is asked where nothing is remembered of what is installed.
    assert {name for name in modules if name.partition(".")[0].startswith("mlm")} - {"mlm.lacking"} == {
        "mlm",
        "mlm.cli",
        "mlm.cli.main",
        "mlm.installed",
    }


@pytest.mark.parametrize("command", ["run", "status", "reconcile", "plugins"])
def test_help_of_a_command_loads_nothing_that_works(command: str) -> None:
    modules = loaded(commands(command, "--help"))

    assert modules & (HEAVY | LIGHT_BUT_NOT_FOR_HELP) == set()
    assert {name for name in modules if name.startswith("mlm_")} == set()


def test_a_plan_of_the_starter_project_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded(commands("init", "atlas", str(tmp_path / "atlas")))
    loaded(commands("plan"), tmp_path / "atlas")  # writes the registry's schema

    assert loaded(commands("plan"), tmp_path / "atlas") & HEAVY == set()


def test_a_trace_loads_the_records_of_lineage_alone(tmp_path: Path) -> None:
    (tmp_path / "mlm.toml").write_text('[problem]\nname = "p"\ntask = "chat"\npurpose = "Be traced."\n')
    with Registry.open(tmp_path / ".mlm") as registry:
        execution = registry.start(Execution("facts", "data", "run", "mlm:sources/jsonl"))
        registry.finish(execution, outputs=[Node("facts", "dataset", "0" * 64)])

    modules = loaded(commands("trace", "facts"), tmp_path)

    assert modules & {"rich", "pluggy", "cattrs", "mlm.steps", "mlm_registry.objects"} == set()
    assert {name for name in modules if name.startswith("mlm_registry.records.")} == {"mlm_registry.records.runs"}


def test_a_bundled_plugin_is_imported_without_what_it_works_with() -> None:
    assert loaded(LOAD_ALL) & HEAVY == set()


def test_import_mlm_loads_nothing_of_it() -> None:
    modules = loaded("import mlm")

    assert {name for name in modules if name.partition(".")[0] in ("mlm", "mlm_registry", "attrs")} == {"mlm"}


def test_every_name_of_the_face_is_there_once_it_is_asked_for() -> None:
    import mlm

    assert [name for name in mlm.__all__ if not hasattr(mlm, name)] == []
    assert set(mlm.__all__) <= set(dir(mlm))
    with pytest.raises(AttributeError, match="module 'mlm' has no attribute 'Datset'"):
        _ = mlm.Datset


def test_plugins_import_core_and_core_the_registry_and_kinds_not_each_other() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]

    run = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert " 0 broken" in run.stdout
