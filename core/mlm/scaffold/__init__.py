"""A new distribution with one plugin: `mlm plugins new KIND NAME`."""

from __future__ import annotations

import re
from pathlib import Path

from mlm.errors import MlmError, near_miss
from mlm.plugins import KINDS
from mlm.scaffold.bodies import BODIES
from mlm.scaffold.body import written_imports

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN = ("registry", "plugins")
CLASSES = {
    "starters": "Starter", "reviews": "Review", "sources": "Source", "transforms": "Transform", "models": "Model",
    "trainers": "Trainer", "evaluators": "Evaluator", "exporters": "Exporter", "checks": "Check",
    "servers": "Server", "guards": "Guard", "postprocessors": "Postprocessor", "rollouts": "Rollout",
    "targets": "Target", "monitors": "Monitor", "improvers": "Improver", "triggers": "Trigger", "policies": "Policy",
    "executors": "Executor", "commands": "Command",
}  # fmt: skip
"""Kind -> how its conformance class begins."""


def write_distribution(kind: str, name: str, folder: Path) -> list[Path]:
    """Write a complete distribution into a new folder, and return its files.

    Raises:
        MlmError: There is no such kind, the name is no name, or something is in the folder already.
    """
    if kind not in KINDS:
        raise MlmError(f"there is no kind '{kind}' (kinds: {', '.join(KINDS)}){near_miss(kind, KINDS)}")
    if not _NAME.fullmatch(name):
        raise MlmError(f"a plugin's name is small letters, digits and hyphens, got '{name}'")
    if name in _TAKEN:
        raise MlmError(f"a package mlm_{name} is a part of mlm; choose another name")
    if folder.exists() and any(folder.iterdir()):
        raise MlmError(f"{folder} is not empty; choose a new folder")
    body = BODIES[kind]
    words = {
        "distribution": f"mlm-{name}",
        "package": f"mlm_{name.replace('-', '_')}",
        "kind": kind,
        "name": name,
        "class": "".join(word.capitalize() for word in name.split("-")) + CLASSES[kind],
        "conformance": f"{CLASSES[kind]}Conformance",
        "does": body.does,
        # Style asks for one more empty line before a class.
        "above": ("\n" if body.above.startswith("\nclass") else "") + body.above.strip("\n"),
        "code": body.code.strip("\n"),
        "test": body.test.strip("\n"),
    }
    package = words["package"]
    words["imports"] = written_imports([*body.imports, "attrs define", "mlm", "typing ClassVar"])
    words["test_imports"] = written_imports(
        [*body.test_imports, f"mlm.testing {words['conformance']}", f"{package}.plugin {words['class']}"], package
    )
    written = []
    for path, text in _FILES.items():
        file = folder / path.format(**words)
        file.parent.mkdir(parents=True, exist_ok=True)
        made = re.sub(r"<(\w+)>", lambda found: words[found[1]], text).strip("\n")
        # A body without a part leaves empty lines behind.
        file.write_text(re.sub(r"\n{4,}", "\n\n\n", made).rstrip("\n") + "\n", encoding="utf-8")
        written.append(file)
    return written


_FILES = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "<distribution>"
version = "0.1.0"
description = "<does>"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["mlm[data]>=0.1"]

[project.optional-dependencies]
dev = ["mypy>=1.15", "pytest>=9"]

[project.entry-points."mlm.<kind>"]
<name> = "<package>.plugin:<class>"

[tool.pytest.ini_options]
addopts = "-q"

[tool.mypy]
strict = true

[[tool.mypy.overrides]]
module = ["pyarrow.*"]
ignore_missing_imports = true
""",
    "README.md": """
# <distribution>

<does>

```
pip install <distribution>
mlm plugins show <kind>/<name>
```

## Develop

```
pip install --editable '.[dev]'
pytest
mypy src
mlm plugins check <kind>/<name>
```
""",
    "src/{package}/__init__.py": '''
"""<does>"""
''',
    "src/{package}/py.typed": "",
    "src/{package}/plugin.py": '''
"""<does>"""

from __future__ import annotations

<imports>

<above>


@define(kw_only=True)
class <class>:
    """<does>"""

    API_VERSION: ClassVar[int] = 1

<code>
''',
    "tests/test_plugin.py": '''
"""<does>"""

<test_imports>


class Test<class>(<conformance>):
    plugin = <class>

<test>
''',
    ".github/workflows/test.yml": """
name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.11", "3.12"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python }}
      - run: pip install --editable '.[dev]'
      - run: mypy src
      - run: pytest
""",
}
