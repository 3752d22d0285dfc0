"""What trainers, and importers of models, keep to."""

from __future__ import annotations

from contextlib import suppress

from mlm.artifacts import Model
from mlm.context import Context
from mlm.testing.bench import Bench, changed, digest_of, files_of
from mlm.testing.checking import Broken, check, demand


class _Interrupted(BaseException):
    """Stands for a user who presses Ctrl-C: no plugin may catch it as an error."""


@check("trainers")
def makes_the_same_of_the_same_seed(bench: Bench) -> None:
    """Two trainings with one seed, in fp32 on one thread of the CPU, make the same bytes."""
    first, second = (digest_of(_trained(bench, bench.context()).path) for _ in range(2))
    demand(
        first == second, "two trainings with one seed made other bytes; seed every source of chance from context.seed"
    )


@check("trainers")
def goes_on_after_an_interruption(bench: Bench) -> None:
    """A training that was interrupted is taken up again, and ends as one that was not."""
    whole, again = (digest_of(_trained(bench, bench.context()).path) for _ in range(2))
    if whole != again:
        return  # Two trainings in one go differ already, which another check says.
    calls = 0

    def interrupts(*arguments: object, **named: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise _Interrupted

    first = bench.context(progress=interrupts)
    with suppress(_Interrupted):
        _trained(bench, first)
        demand(calls < 2, "it goes on after Ctrl-C and returns a half-trained model; let the interruption out")
    demand(
        calls >= 2, f"it told its progress {calls} times; call `context.progress` while it works: people wait for it"
    )
    resumed = digest_of(_trained(bench, bench.context(work=first.work)).path)
    demand(
        resumed == whole,
        "interrupted and taken up again, it made other bytes than in one go; keep the state of chance in context.work",
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
