"""What trainers, and importers of models, keep to."""

from __future__ import annotations

from contextlib import suppress

from attrs import define

from mlm.artifacts import Model
from mlm.context import Context
from mlm.testing.bench import Bench, changed, digest_of, files_of
from mlm.testing.checking import Broken, check, demand


class _Interrupted(BaseException):
    """Stands for a user who presses Ctrl-C: no plugin may catch it as an error."""


@define
class _Progress:
    """Hears how far a training is, and interrupts it at one of the calls."""

    interrupts_at: int = 0
    calls: int = 0

    def __call__(self, done: float, total: float | None = None, note: str = "") -> None:
        self.calls += 1
        if self.calls == self.interrupts_at:
            raise _Interrupted


@check("trainers")
def makes_the_same_of_the_same_seed(bench: Bench) -> None:
    """Two trainings with one seed, in fp32 on one thread of the CPU, make the same bytes."""
    first, second = (digest_of(_trained(bench, bench.context()).path) for _ in range(2))
    demand(
        first == second, "two trainings with one seed made other bytes; seed every source of chance from context.seed"
    )


@check("trainers")
def goes_on_after_an_interruption(bench: Bench) -> None:
    """A training that was interrupted, early or late or twice, is taken up again, and ends as one that was not."""
    told = _Progress()
    whole = digest_of(_trained(bench, bench.context(progress=told)).path)
    if digest_of(_trained(bench, bench.context()).path) != whole:
        return  # Two trainings in one go differ already, which another check says.
    demand(
        told.calls > 1,
        f"it told its progress {told.calls} times; call `context.progress` while it works: people wait for it",
    )
    # By the call of progress at which each try is interrupted; the last try is left in peace.
    for tries in ((2,), (told.calls // 2 + 1, 1), (told.calls,)):
        work = None
        for call in tries:
            progress = _Progress(call)
            context = bench.context(work=work, progress=progress)
            work = context.work
            with suppress(_Interrupted):
                _trained(bench, context)
                demand(
                    progress.calls < call,
                    "it goes on after Ctrl-C and returns a half-trained model; let the interruption out",
                )
        resumed = digest_of(_trained(bench, bench.context(work=work)).path)
        demand(
            resumed == whole,
            f"interrupted at {' and again at '.join(f'call {call} of its progress' for call in tries)} and taken up"
            " again, it made other bytes than in one go; keep the state of chance in context.work",
        )


@check("trainers", "models")
def leaves_everything_else_alone(bench: Bench) -> None:
    """It writes into the context's folders, and changes neither data nor base model."""
    context = bench.context()
    data, base = bench.dataset(), bench.model() if bench.model_of else None
    plugin = bench.plugin()
    before = files_of(bench.folder)
    made = plugin.import_model(context) if bench.kind == "models" else plugin.train(data, base, context)
    demand(made.path.is_relative_to(context.folder), f"its model is in {made.path}, not in context.folder")
    touched = changed(bench.folder, before, context.folder.parent)
    demand(not touched, f"it wrote or deleted {', '.join(touched[:3])}; write into context.folder and context.work")
    demand(any(made.path.iterdir()), "its model's folder is empty")


@check("models")
def imports_the_same_again(bench: Bench) -> None:
    """Two imports make the same bytes, and say which library loads them."""
    first, second = (bench.plugin().import_model(bench.context()) for _ in range(2))
    demand(digest_of(first.path) == digest_of(second.path), "two imports made other bytes")
    demand(bool(first.library), "the model names no library that loads it")
    demand("license" in first.metadata, "the model states no licence: `metadata={'license': ...}`, empty where unknown")


def _trained(bench: Bench, context: Context) -> Model:
    if bench.kind != "trainers":
        raise Broken("this check is for trainers")
    return bench.plugin().train(bench.dataset(), bench.model() if bench.model_of else None, context)
