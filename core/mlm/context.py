"""What a plugin is given besides its inputs: folders, seed, log, progress, secrets, engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import evolve, field, frozen

from mlm.errors import ProjectError
from mlm.problem import Problem
from mlm.settings import Secret

if TYPE_CHECKING:
    from mlm.artifacts import Model
    from mlm.dataset_writer import DatasetWriter
    from mlm.intent import Window
    from mlm.serving import Engine


class Progress(Protocol):
    """Tells the user how far a long piece of work is."""

    def __call__(self, done: float, total: float | None = None, note: str = "") -> None: ...


def silent(done: float, total: float | None = None, note: str = "") -> None:
    """Tell nobody."""


def _no_log(step: int, values: dict[str, float]) -> None:
    """Keep no curve."""


def _no_engine(model: Model, fresh: bool = False) -> Engine:
    raise RuntimeError("this context loads no models")


@frozen
class _Elsewhere:
    """Loads models in a process that was sent a context: each is loaded there once."""

    project: Path

    def __call__(self, model: Model, fresh: bool = False) -> Engine:
        from mlm.workspace import opened

        return opened(self.project).engines.get(model, fresh)


def _sent(*fields: Any) -> Context:
    """Return a context in the process that it was sent to."""
    context = Context(*fields)
    return evolve(context, load=_Elsewhere(context.project))


def _no_window(deployment: str) -> Window:
    raise RuntimeError("this context sees no traffic")


def _no_model(node: int) -> Model:
    raise RuntimeError("this context admits no models")


@frozen
class Context:
    """What the core hands to every hook."""

    folder: Path
    """Empty folder for what the hook makes; stored when the hook returns, discarded when it raises."""
    work: Path
    """Folder that outlives an interruption, for checkpoints; removed when the step is stored."""
    project: Path
    """Folder of the project file; relative `Path` settings were already resolved against it."""
    problem: Problem
    """The problem statement."""
    seed: int = 0
    """Seed of this project; the same seed must give the same result."""
    threads: int = 2
    """Threads that computation may use."""
    step: str = ""
    """Name of the step or table that the plugin was bound to."""
    progress: Progress = silent
    """Tells the user how far the work is: `context.progress(done, total)`."""
    admit: Callable[[int], Model] = _no_model
    """For targets: returns the model of a node id where the registry admits it, else raises mlm.Refused."""
    window: Callable[[str], Window] = _no_window
    """For sources: returns the newest exchanges of a deployment, with what people said of them."""
    _log: Callable[[int, dict[str, float]], None] = field(default=_no_log, alias="log")
    _load: Callable[[Model, bool], Engine] = field(default=_no_engine, alias="load")

    def __reduce__(self) -> tuple[Callable[..., Context], tuple[Any, ...]]:
        """Go to another process without what belongs to this one: progress, log, loaded models."""
        return _sent, (
            self.folder, self.work, self.project, self.problem, self.seed, self.threads, self.step,
        )  # fmt: skip

    def log(self, step: int, **values: float) -> None:
        """Record points of curves, such as `context.log(10, loss=1.5)`."""
        self._log(step, values)

    def load(self, model: Model, *, fresh: bool = False) -> Engine:
        """Return an engine for a model.

        It is shared by the steps of a run and remembers greedy answers; `fresh` gives one that computes every time,
        for timings, and that the caller closes.
        """
        return self._load(model, fresh)

    def writer(self) -> DatasetWriter:
        """Return a writer of a dataset into `folder`."""
        from mlm.dataset_writer import DatasetWriter

        return DatasetWriter(self.folder, self.step)

    def secret(self, secret: Secret) -> str:
        """Return a secret that a setting named; ProjectError where the variable is not set."""
        try:
            return secret.reveal()
        except KeyError:
            raise ProjectError(f"the environment variable {secret.env} is not set", self.step) from None
