"""`mlm plugins new` for somebody who has nothing but pip: mlm from its wheel, in an environment that shares nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.heavy


def done(*command: str | Path, folder: Path) -> str:
    """Run a command as in a new shell, and return what it said."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MYPY", "VIRTUAL"))
    }
    environment = inherited | {"XDG_CACHE_HOME": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def test_a_new_distribution_passes_its_tests_and_its_type_check_in_a_fresh_environment(tmp_path: Path) -> None:
    fresh, made, constraints = tmp_path / "env" / "bin", tmp_path / "mlm-candour", ROOT / "constraints.txt"
    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "wheels", ROOT, folder=tmp_path)
    done(sys.executable, "-m", "venv", "env", folder=tmp_path)
    pip = [fresh / "python", "-m", "pip", "install", "--quiet", "--constraint", constraints, "--find-links", "wheels"]
    (wheel,) = (tmp_path / "wheels").glob("mlm-*.whl")

    done(*pip, wheel, folder=tmp_path)
    done(fresh / "mlm", "plugins", "new", "evaluators", "candour", folder=tmp_path)
    done(*pip, f"{made}[dev]", folder=tmp_path)

    assert "passed" in done(fresh / "python", "-m", "pytest", folder=made)
    assert "Success: no issues found" in done(fresh / "python", "-m", "mypy", "--strict", "src", folder=made)
    assert "mlm-candour:evaluators/candour 0.1.0  ready" in done(
        fresh / "mlm", "plugins", "show", "candour", folder=made
    )
    assert "torch" not in done(fresh / "python", "-m", "pip", "list", folder=tmp_path)
