"""One test class a kind, for pytest: `class TestMine(SourceConformance): plugin = Mine`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from mlm.artifacts import Model
from mlm.testing.bench import ROWS, Bench
from mlm.testing.checking import Check, Untested, checks_of

if TYPE_CHECKING:
    from mlm.serving import Engine


class Conformance:
    """All checks of a kind, each a test of its own."""

    kind: ClassVar[str] = ""
    """Kind of the plugins that it tests; its subclasses say it."""
    plugin: ClassVar[type[Any]]
    """The class under test."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """Its settings; override `configure` where they name files."""
    rows: ClassVar[Sequence[Mapping[str, Any]]] = ROWS
    """What data is made of; `read_rows` reads them from a file."""
    expected_failures: ClassVar[Mapping[str, str]] = {}
    """Check -> why this plugin does not keep to it. One that passes after all is an error."""

    def configure(self, folder: Path) -> Mapping[str, Any]:
        """Return the settings; files that they name are written into the folder."""
        return self.settings

    def model(self, folder: Path) -> Model | None:
        """Write a model to train on, export or evaluate; None means none, or one that only the kit understands."""
        return None

    def engine(self, model: Model) -> Engine | None:
        """Load that model; None means an engine that answers as the rows say."""
        return None

    def bench(self, folder: Path) -> Bench:
        """Return the workbench that checks work at."""
        has_model = type(self).model is not Conformance.model
        has_engine = type(self).engine is not Conformance.engine
        return Bench(
            self.kind,
            self.plugin,
            folder,
            self.configure,
            self.rows,
            self.model if has_model else None,  # type: ignore[arg-type]
            self.engine if has_engine else None,  # type: ignore[arg-type]
        )

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make a test of each check of the kind."""
        if "conformance" not in metafunc.fixturenames:
            return
        checks = checks_of(self.kind)
        unknown = sorted(set(self.expected_failures) - {one.name for one in checks})
        if unknown:
            raise pytest.UsageError(f"{type(self).__name__}: there is no check '{unknown[0]}' of {self.kind}")
        metafunc.parametrize("conformance", [pytest.param(c, id=c.name, marks=self._marks(c)) for c in checks])

    def _marks(self, check: Check) -> list[pytest.MarkDecorator]:
        reason = self.expected_failures.get(check.name)
        return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []

    def test_conformance(self, conformance: Check, tmp_path: Path) -> None:
        """The plugin keeps to one check."""
        try:
            conformance.run(self.bench(tmp_path))
        except Untested as reason:
            pytest.skip(str(reason))


class StarterConformance(Conformance):
    """Tests a starter."""

    kind = "starters"


class ReviewConformance(Conformance):
    """Tests a review."""

    kind = "reviews"


class SourceConformance(Conformance):
    """Tests a source."""

    kind = "sources"


class TransformConformance(Conformance):
    """Tests a transform."""

    kind = "transforms"


class ModelConformance(Conformance):
    """Tests an importer of models."""

    kind = "models"


class TrainerConformance(Conformance):
    """Tests a trainer."""

    kind = "trainers"


class EvaluatorConformance(Conformance):
    """Tests an evaluator."""

    kind = "evaluators"


class ExporterConformance(Conformance):
    """Tests an exporter; `model` gives what is exported."""

    kind = "exporters"


class ServerConformance(Conformance):
    """Tests a server; `model` gives what it loads."""

    kind = "servers"


class TargetConformance(Conformance):
    """Tests a target."""

    kind = "targets"


class CommandConformance(Conformance):
    """Tests a command."""

    kind = "commands"


class CheckConformance(Conformance):
    """Tests a check."""

    kind = "checks"


class GuardConformance(Conformance):
    """Tests a guard."""

    kind = "guards"


class PostprocessorConformance(Conformance):
    """Tests a postprocessor."""

    kind = "postprocessors"


class RolloutConformance(Conformance):
    """Tests a rollout."""

    kind = "rollouts"


class MonitorConformance(Conformance):
    """Tests a monitor."""

    kind = "monitors"


class ImproverConformance(Conformance):
    """Tests an improver."""

    kind = "improvers"


class TriggerConformance(Conformance):
    """Tests a trigger."""

    kind = "triggers"


class PolicyConformance(Conformance):
    """Tests a policy."""

    kind = "policies"


class ExecutorConformance(Conformance):
    """Tests an executor."""

    kind = "executors"
