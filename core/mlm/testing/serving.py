"""What postprocessors and rollouts keep to."""

from __future__ import annotations

from mlm.serving import Postprocessor, Stage
from mlm.testing.bench import Bench
from mlm.testing.checking import check, demand
from mlm.verdicts import Verdict
from mlm_registry.records import Arm

_TEXTS = ("", "one", "  The answer\n\nis 42.  ", "a\u0301b" * 30, "end.\n\n\n", "<b>x</b> " * 20)


@check("postprocessors")
def shapes_a_stream_as_the_whole(bench: Bench) -> None:
    """However a response is cut into pieces, the same text leaves."""
    made = bench.plugin().postprocess(bench.context())
    for text in _TEXTS:
        whole = _through(made, [text])
        for size in (1, 3, 7):
            pieces = [text[start : start + size] for start in range(0, len(text), size)]
            shaped = _through(made, pieces)
            demand(
                shaped == whole, f"{text[:20]!r} leaves as {whole[:30]!r}, and in pieces of {size} as {shaped[:30]!r}"
            )


@check("rollouts")
def routes_a_key_to_one_arm(bench: Bench) -> None:
    """The same key goes to the same arm, and arms get about their shares."""
    rollout = bench.plugin().rollout(bench.context())
    demand(0 < rollout.first_share <= 1, f"its first share is {rollout.first_share}, expected a share of all traffic")
    arms = (Arm(1, 75.0), Arm(2, 25.0))
    chosen = [rollout.route(f"key-{number}", arms).node for number in range(4000)]
    demand(
        chosen == [rollout.route(f"key-{number}", arms).node for number in range(4000)],
        "a key was routed to another arm the second time; a visitor must not see two models in turn",
    )
    share = chosen.count(2) / len(chosen)
    demand(0.2 < share < 0.3, f"an arm with 25 % of traffic got {100 * share:.0f} %")


@check("rollouts")
def never_goes_on_against_a_verdict(bench: Bench) -> None:
    """A failed requirement rolls back, whatever the share."""
    rollout = bench.plugin().rollout(bench.context())
    failed = (Verdict("fail", "too-low", "measured below its bound"),)
    for share in (rollout.first_share, 0.5, 0.99):
        move = rollout.judge(Stage(1, 2, share, {1: 10_000, 2: 10_000}, failed))
        demand(move.action == "rollback", f"at a share of {share} a failed requirement says {move.action!r}")
    held = rollout.judge(Stage(1, 2, rollout.first_share, {}, ()))
    demand(held.action == "hold", f"with no request measured yet it says {held.action!r}, expected 'hold'")


def _through(made: Postprocessor, pieces: list[str]) -> str:
    stream = made.open()
    return "".join([*(stream.feed(piece) for piece in pieces), stream.close()])
