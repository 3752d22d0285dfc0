"""The onnxruntime engine: many callers at once get what each would get alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm_plugins.servers.onnxruntime import OnnxRuntime
from mlm_plugins.servers.transformers import Transformers

pytestmark = pytest.mark.heavy

PROMPTS = [[1, *((7 * i + 5 * j) % 300 + 10 for j in range(1 + (11 * i) % 37))] for i in range(24)]
SAMPLINGS = [mlm.Sampling(max_tokens=4 + (13 * i) % 50) for i in range(24)]


@pytest.fixture(scope="module")
def engine(tiny_onnx: mlm.Model) -> Iterator[mlm.Engine]:
    engine = OnnxRuntime(slots=8, queue=32).mlm_load(tiny_onnx)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def serial(engine: mlm.Engine) -> list[mlm.Generation]:
    return [engine.generate([prompt], sampling)[0] for prompt, sampling in zip(PROMPTS, SAMPLINGS, strict=True)]


async def collect(engine: mlm.Engine, prompt: Sequence[int], sampling: mlm.Sampling) -> tuple[int, ...]:
    return tuple([token async for ids in engine.stream(prompt, sampling) for token in ids])


def test_greedy_answers_equal_those_of_transformers(
    tiny_llama: mlm.Model, serial: list[mlm.Generation], tmp_path: Path
) -> None:
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    context = mlm.Context(folder=tmp_path, work=tmp_path, project=tmp_path, problem=problem, threads=1)
    reference = Transformers().mlm_load(tiny_llama, context)
    expected = [reference.generate([p], s)[0] for p, s in zip(PROMPTS, SAMPLINGS, strict=True)]
    reference.close()

    assert expected == serial


async def test_ragged_streams_at_once_equal_one_after_the_other(
    engine: mlm.Engine, serial: list[mlm.Generation]
) -> None:
    together = await asyncio.gather(*(collect(engine, *pair) for pair in zip(PROMPTS, SAMPLINGS, strict=True)))

    assert [generation.ids for generation in serial] == together


def test_a_batch_equals_one_after_the_other(engine: mlm.Engine) -> None:
    sampling = mlm.Sampling(max_tokens=20)

    assert [engine.generate([prompt], sampling)[0] for prompt in PROMPTS] == engine.generate(PROMPTS, sampling)


async def test_a_seeded_sample_does_not_depend_on_its_company(engine: mlm.Engine) -> None:
    sampling = mlm.Sampling(max_tokens=20, temperature=0.9, top_p=0.95, seed=3)
    alone = await collect(engine, PROMPTS[2], sampling)
    company = [collect(engine, prompt, SAMPLINGS[0]) for prompt in PROMPTS[5:15]]

    assert alone == (await asyncio.gather(collect(engine, PROMPTS[2], sampling), *company))[0]


async def test_a_closed_stream_makes_room_for_the_next(tiny_onnx: mlm.Model) -> None:
    engine = OnnxRuntime(slots=1, queue=0).mlm_load(tiny_onnx)
    stream = engine.stream([1, 50], mlm.Sampling(max_tokens=10**6))
    await anext(stream)
    with pytest.raises(mlm.Busy):
        await anext(engine.stream([1, 51], mlm.Sampling()))
    await stream.aclose()

    assert len(engine.generate([[1, 51]], mlm.Sampling(max_tokens=3))[0].ids) <= 3
    engine.close()


async def test_a_reader_that_pauses_loses_no_token(engine: mlm.Engine, serial: list[mlm.Generation]) -> None:
    got: list[int] = []
    async for ids in engine.stream(PROMPTS[4], SAMPLINGS[4]):
        got += ids
        engine.generate([PROMPTS[6]], SAMPLINGS[6])  # blocks the loop while the engine goes on with both

    assert serial[4].ids == tuple(got)


async def test_a_closed_engine_fails_its_streams_and_refuses_more(tiny_onnx: mlm.Model) -> None:
    engine = OnnxRuntime().mlm_load(tiny_onnx)
    stream = engine.stream([1, 60, 61], mlm.Sampling(max_tokens=10**6))
    await anext(stream)
    engine.close()

    with pytest.raises(RuntimeError, match="closed"):
        async for _ in stream:
            pass
    with pytest.raises(RuntimeError, match="closed"):
        engine.generate([[1]], mlm.Sampling())


def test_log_probabilities_do_not_depend_on_the_batch(engine: mlm.Engine) -> None:
    alone = [engine.logprobs([prompt])[0] for prompt in PROMPTS]

    for one, batched in zip(alone, engine.logprobs(PROMPTS), strict=True):
        assert one == pytest.approx(batched, abs=1e-4)  # float32 logits of size ~10


def test_a_start_that_all_have_in_common_changes_no_score(engine: mlm.Engine) -> None:
    start = list(range(3, 60))
    sequences = [start + end for end in ([70], [71, 72, 73], [71, 80], [90] * 9)]

    together = engine.logprobs(sequences)

    for sequence, scores in zip(sequences, together, strict=True):
        assert scores == pytest.approx(engine.logprobs([sequence])[0], abs=1e-4)  # float32 logits of size ~10


def test_the_greedy_token_is_the_likeliest(engine: mlm.Engine) -> None:
    prompt = PROMPTS[7]
    chosen = engine.generate([prompt], mlm.Sampling(max_tokens=1))[0].ids[0]
    scores = engine.logprobs([[*prompt, token] for token in range(320)])

    assert chosen == max(range(320), key=lambda token: scores[token][-1])


def test_the_backend_says_what_computes(engine: mlm.Engine) -> None:
    import onnxruntime

    assert engine.backend == f"onnxruntime {onnxruntime.__version__} CPUExecutionProvider"


def test_a_provider_that_is_not_built_in_is_named(tiny_onnx: mlm.Model) -> None:
    with pytest.raises(mlm.ProjectError, match="built without CUDAExecutionProvider"):
        OnnxRuntime(providers=["CUDAExecutionProvider"]).mlm_load(tiny_onnx)


def test_a_provider_that_onnxruntime_drops_silently_is_named(
    tiny_onnx: mlm.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *args, providers: real(*args, providers=["CPUExecutionProvider"])
    )
    with pytest.raises(mlm.ProjectError, match="asked for, but onnxruntime uses CPUExecutionProvider"):
        OnnxRuntime(providers=["CUDAExecutionProvider"]).mlm_load(tiny_onnx)


def test_a_folder_without_a_graph_says_how_to_make_one(tiny_llama: mlm.Model) -> None:
    with pytest.raises(mlm.DataError, match='use = "onnx"'):
        OnnxRuntime().mlm_load(tiny_llama)


@pytest.mark.real
def test_a_real_model_says_what_was_published(stories_onnx: mlm.Model, golden: dict[str, Any]) -> None:
    engine = OnnxRuntime().mlm_load(stories_onnx)
    made = engine.generate([golden["prompt_ids"]], mlm.Sampling(max_tokens=200))[0]
    scores = engine.logprobs([golden["greedy_ids_hf"]])[0]
    engine.close()

    assert golden["greedy_ids_hf"] == [*golden["prompt_ids"], *made.ids]
    assert golden["expected_text_run_c_200_steps"] == made.text
    assert -sum(scores) / len(scores) < golden["published_val_loss"]  # its own greedy words are likelier than prose
