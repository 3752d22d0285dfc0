"""mlm starts as a module, where its script is not on the path."""

from __future__ import annotations

import subprocess
import sys


def test_python_m_mlm_is_the_command_mlm() -> None:
    done = subprocess.run([sys.executable, "-m", "mlm", "--help"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Usage: mlm ")
