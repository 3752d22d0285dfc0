"""A project in a folder of its own, and the command line in this process."""

from __future__ import annotations

import io
import itertools
import json
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from mlm_fakes import memory

from mlm.cli.main import main
from mlm.deploying import Endpoint, rollout
from mlm.workspace import Workspace
from mlm_registry import Exchange, Feedback, Registry

PROBLEM = """
[problem]
name = "trial"
task = "chat"
purpose = "Answer a few questions."
"""
LESSONS = [{"prompt": f"What is the capital of {i}?", "completion": f"City {i}"} for i in range(60)]
LIFE = """
[requirements]
usefulness = { metric = "exact_match", min = 0.8 }
content = { metric = "complaint_rate", max = 0.4 }

[data.lessons]
use = "jsonl"
path = "lessons.jsonl"

[data.exam]
use = "jsonl"
path = "exam.jsonl"

[training.chat]
use = "memory"
data = "lessons"

[evaluation.quality]
use = "exact-match"
model = "chat"
data = "exam"

[deployment.api]
use = "shelf"
model = "chat"
rollout = { use = "canary", shares = [5, 25, 100], min_samples = 8 }

[monitoring.ratings]
use = "ratings"

[improvement.corrections]
use = "corrections"
into = "lessons"
min_corrections = 5

[retirement.superseded]
use = "superseded"
"""
"""A small life: a model that learns by heart, an exam, an endpoint, visitors."""
_numbers = itertools.count(1)


@frozen
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line of an error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, f"expected one line of error, got: {self.err!r}"
        return lines[0]


@frozen
class TrialProject:
    """A folder with an `mlm.toml`, and what a user does with it."""

    folder: Path

    def write(self, toml: str, problem: str = PROBLEM) -> None:
        """Write `mlm.toml`: the tables, and a problem statement."""
        (self.folder / "mlm.toml").write_text(f"{toml}\n{problem}", encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        """Replace a text that is in `mlm.toml` once."""
        file = self.folder / "mlm.toml"
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def jsonl(self, name: str, rows: Sequence[dict[str, Any]]) -> Path:
        """Write rows into a file of JSON lines."""
        file = self.folder / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return file

    def mlm(self, *arguments: str | Path) -> Answer:
        """Run `mlm` as the shell would, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            main(["-C", str(self.folder), *map(str, arguments)])
        code = left.value.code
        return Answer(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())

    def run(self, *steps: str) -> dict[str, str]:
        """Run the steps, and return the status of each."""
        answer = self.mlm("run", "--json", *steps)
        assert answer.out, answer.err
        return {step["name"]: step["status"] for step in answer.json["steps"]}

    def ran(self, *steps: str) -> set[str]:
        """Run the steps, and return the names of those that were not cached."""
        return {name for name, status in self.run(*steps).items() if status != "cached"}

    def open(self) -> Workspace:
        return Workspace(self.folder)

    def registry(self) -> Registry:
        return Registry.open(self.folder / ".mlm")

    def refs(self) -> set[str]:
        """Return the refs of all nodes."""
        with self.registry() as registry:
            return {node.ref for node in registry.nodes()}

    def left_over(self) -> list[Path]:
        """Return files that steps left in their folders, but for the stages that a data step has finished."""
        work = self.folder / ".mlm" / "work"
        whole = [marker.parent for marker in work.rglob("done.json")]
        keys = [stage.parent / "key" for stage in whole]
        files = [file for file in work.rglob("*") if file.is_file() and file not in keys]
        return [file for file in files if not any(stage in file.parents for stage in whole)]

    def lessons(self) -> list[dict[str, str]]:
        """Return the rows that the model of `life` learns."""
        text = (self.folder / "lessons.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def deploy(self) -> None:
        """Run, promote the newest `chat`, and make the first move of its traffic."""
        self.run()
        promoted = self.mlm("promote", "chat")
        assert promoted.code == 0, promoted.err
        assert self.mlm("deploy").code == 0

    def reconcile(self, *options: str) -> dict[str, Any]:
        """Reconcile, and return state, actions and what is waited for, each with its kind and text."""
        answer = self.mlm("reconcile", "--json", *options)
        assert answer.out, answer.err
        return dict(answer.json)

    def visit(
        self, rows: Sequence[dict[str, str]], times: int = 1, deployment: str = "api", named: str = ""
    ) -> dict[str, int]:
        """Ask the deployment's arms as visitors would, rate the answers, and count the requests of each version.

        `named` asks for a version by its name.
        """
        with self.open() as workspace:
            registry = workspace.registry
            current = registry.deployments.current(deployment)
            assert current is not None, "nothing is deployed"
            strategy = rollout(workspace, Endpoint.of(workspace.project.deployment(deployment)))
            minds = {
                arm.node: memory.read(registry.objects.path(registry.node(arm.node).digest)) for arm in current.arms
            }
            exchanges, ratings = [], []
            for row in [row for _ in range(times) for row in rows]:
                key = f"chatcmpl-{next(_numbers)}"
                arm = strategy.route(key, current.arms) if strategy else current.arms[0]
                if named:
                    [arm] = [arm for arm in current.arms if registry.node(arm.node).ref == named]
                answer = minds[arm.node].get(row["prompt"], memory.UNKNOWN)
                exchanges.append(
                    Exchange(
                        id=key, deployment=deployment, revision=current.revision, node=arm.node, route="chat",
                        at=time.time(), request={"model": named or deployment}, prompt=row["prompt"], response=answer,
                    )
                )  # fmt: skip
                right = answer == row["completion"]
                ratings.append(Feedback(key, 1 if right else -1, None if right else row["completion"]))
            registry.exchanges.record(exchanges)
            with registry.exchanges.database.transaction():
                for rating in ratings:
                    registry.exchanges.feedback(rating)
            counts = {registry.node(node).ref: 0 for node in minds}
            for exchange in exchanges:
                counts[registry.node(exchange.node).ref] += 1
            return counts
