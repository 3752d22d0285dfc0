"""What servers, exporters, postprocessors and rollouts keep to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from mlm.serving import Engine, Postprocessor, Sampling, Stage
from mlm.testing.bench import Bench, digest_of
from mlm.testing.checking import Untested, check, demand
from mlm.verdicts import Verdict
from mlm_registry import Arm

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


@check("servers")
def answers_alone_as_among_others(bench: Bench) -> None:
    """A greedy answer is the same again, in a batch, from several threads, and streamed."""
    if bench.model_of is None:
        raise Untested("it needs a model: give one by `model` of the conformance class")
    engine = bench.plugin().load(bench.model(), bench.context())
    try:
        prompts = [engine.tokenizer.chat([{"role": "user", "content": str(row["prompt"])}]) for row in bench.rows[:6]]
        sampling = Sampling(max_tokens=16)
        alone = [engine.generate([prompt], sampling)[0].ids for prompt in prompts]
        demand(
            [one.ids for one in engine.generate(prompts, sampling)] == alone,
            "a batch answers otherwise than each alone",
        )
        with ThreadPoolExecutor(4) as pool:
            threads = list(pool.map(lambda prompt: engine.generate([prompt], sampling)[0].ids, prompts))
        demand(threads == alone, "several threads get other answers than one after another")
        streamed = asyncio.run(_streamed(engine, prompts[0], sampling))
        demand(tuple(streamed) == alone[0], "a stream gives other tokens than the whole answer")
    finally:
        engine.close()


@check("servers")
def stops_when_nobody_listens(bench: Bench) -> None:
    """A stream that is closed ends, and the engine answers the next one."""
    if bench.model_of is None:
        raise Untested("it needs a model: give one by `model` of the conformance class")
    engine = bench.plugin().load(bench.model(), bench.context())
    try:
        prompt = engine.tokenizer.chat([{"role": "user", "content": str(bench.rows[0]["prompt"])}])
        asyncio.run(asyncio.wait_for(_begun(engine, prompt), 30))
        demand(bool(engine.generate([prompt], Sampling(max_tokens=4))), "after a closed stream it answers no more")
    except TimeoutError:
        demand(False, "closing a stream takes more than 30 seconds; end the work when the generator is closed")
    finally:
        engine.close()


@check("exporters")
def exports_the_same_again(bench: Bench) -> None:
    """Two exports make the same bytes, in the context's folder, and leave the model as it was."""
    if bench.model_of is None:
        raise Untested("it needs a model: give one by `model` of the conformance class")
    model = bench.model()
    before = digest_of(model.path)
    first, second = (bench.plugin().export(model, bench.context()) for _ in range(2))
    demand(digest_of(first.path) == digest_of(second.path), "two exports of one model made other bytes")
    demand(digest_of(model.path) == before, "it changed the model that it was given")
    demand(bool(first.library), "the exported model names no library that loads it")


@check("commands")
def gives_a_command_with_help(bench: Bench) -> None:
    """It returns a click command that says what it does."""
    command = bench.plugin().command()
    demand(bool(command.help or command.short_help), "its command has no help")


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


async def _streamed(engine: Engine, prompt: Sequence[int], sampling: Sampling) -> list[int]:
    return [token async for tokens in engine.stream(prompt, sampling) for token in tokens]


async def _begun(engine: Engine, prompt: Sequence[int]) -> None:
    stream = engine.stream(prompt, Sampling(max_tokens=1000))
    async for _ in stream:
        break
    await stream.aclose()


def _through(made: Postprocessor, pieces: list[str]) -> str:
    stream = made.open()
    return "".join([*(stream.feed(piece) for piece in pieces), stream.close()])
