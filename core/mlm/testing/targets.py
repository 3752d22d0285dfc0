"""What targets keep to."""

from __future__ import annotations

from mlm.artifacts import Model
from mlm.calls import Plugin
from mlm.context import Context
from mlm.errors import Refused
from mlm.intent import Desired, Observed
from mlm.testing.bench import Bench
from mlm.testing.checking import check, demand
from mlm_registry import Arm


@check("targets")
def says_no_more_than_it_serves(bench: Bench) -> None:
    """It is ready only when it serves the revision that is desired, and says why where it is not."""
    plugin, context = bench.plugin(), _admitting(bench)
    for revision in (1, 2):
        seen = plugin.apply(_desired(bench, revision), context)
        demand(
            not seen.ready or seen.revision == revision,
            f"revision {revision} is desired, and it is ready with revision {seen.revision}",
        )
        demand(seen.revision <= revision, f"it serves revision {seen.revision}, which nobody has desired yet")
        demand(seen.ready or bool(seen.detail), "it is not ready and does not say why; put the reason into `detail`")


@check("targets")
def changes_nothing_the_second_time(bench: Bench) -> None:
    """Each reconciliation applies what is desired again: what is there already stays as it is."""
    plugin, context, desired = bench.plugin(), _admitting(bench), _desired(bench, 1)
    first, second = (plugin.apply(desired, context) for _ in range(2))
    demand(first == second, f"the same was applied twice, and it said {first}, then {second}")


@check("targets")
def serves_only_what_is_admitted(bench: Bench) -> None:
    """A model version that `context.admit` refuses is not served."""
    refused: list[int] = []

    def refuse(node: int) -> Model:
        refused.append(node)
        raise Refused(f"node {node} was recalled", "recalled")

    seen = _applied(bench.plugin(), _desired(bench, 1), bench.context(admit=refuse))
    asked = "it asked, was refused" if refused else "it asked nobody"
    demand(
        seen is None or not seen.ready,
        f"{asked}, and is ready with a version that is not admitted; load each arm by `context.admit(arm.node)`",
    )


def _applied(plugin: Plugin, desired: Desired, context: Context) -> Observed | None:
    """Apply; None where the refusal comes out, which serves nothing."""
    try:
        return plugin.apply(desired, context)
    except Refused:
        return None


def _admitting(bench: Bench) -> Context:
    model = bench.model()
    return bench.context(admit=lambda node: model)


def _desired(bench: Bench, revision: int) -> Desired:
    arms = (Arm(1, 1.0),) if revision == 1 else (Arm(1, 0.5), Arm(2, 0.5))
    return Desired("api", revision, arms, bench.folder / "registry")
