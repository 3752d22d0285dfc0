"""The transformers engine against transformers itself; it starts torch, so it takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mlm
from mlm_plugins.servers.transformers import Transformers

PROMPTS = [[1, *range(10 + 3 * i, 10 + 3 * i + 1 + i % 9)] for i in range(24)]


@pytest.fixture(scope="module")
def engine(tiny_llama: mlm.Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[mlm.Engine]:
    folder = tmp_path_factory.mktemp("work")
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    engine = Transformers().mlm_load(
        tiny_llama, mlm.Context(folder=folder, work=folder, project=folder, problem=problem, threads=1)
    )
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def model(tiny_llama: mlm.Model) -> Any:
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(tiny_llama.path).eval()


def test_greedy_continuations_equal_those_of_transformers_alone(engine: mlm.Engine, model: Any) -> None:
    import torch

    made = engine.generate(PROMPTS, mlm.Sampling(max_tokens=24))

    for prompt, generation in zip(PROMPTS, made, strict=True):
        out = model.generate(torch.tensor([prompt]), max_new_tokens=24, do_sample=False)[0, len(prompt) :].tolist()
        ended = out[-1] == 2
        assert (tuple(out[:-1] if ended else out), "stop" if ended else "length") == (
            generation.ids,
            generation.finish_reason,
        )


def test_log_probabilities_equal_a_plain_softmax(engine: mlm.Engine, model: Any) -> None:
    import torch

    sequences = [[1], [1, 20], *PROMPTS, list(range(3, 100))]
    for sequence, scores in zip(sequences, engine.logprobs(sequences), strict=True):
        with torch.no_grad():
            rows = torch.log_softmax(model(torch.tensor([sequence])).logits[0].double(), -1)
        expected = [float(rows[place, token]) for place, token in enumerate(sequence[1:])]
        assert expected == pytest.approx(scores, abs=1e-4)  # float32 logits of size ~10


def test_a_start_that_all_have_in_common_is_computed_once_and_changes_nothing(engine: mlm.Engine) -> None:
    start = list(range(3, 60))
    sequences = [start + end for end in ([70], [71, 72, 73], [71, 80], [90] * 9)]

    together = engine.logprobs(sequences)

    for sequence, scores in zip(sequences, together, strict=True):
        assert scores == pytest.approx(engine.logprobs([sequence])[0], abs=1e-4)  # float32 logits of size ~10


def test_equal_seeds_give_equal_samples_alone_and_in_a_batch(engine: mlm.Engine) -> None:
    sampling = mlm.Sampling(max_tokens=16, temperature=0.8, top_p=0.9, seed=11)

    alone = engine.generate(PROMPTS[:1], sampling)[0]
    assert alone == engine.generate(PROMPTS, sampling)[0]
    assert alone != engine.generate(PROMPTS[:1], mlm.Sampling(16, 0.8, 0.9, 12))[0]


def test_one_prompt_given_twice_is_sampled_twice(engine: mlm.Engine) -> None:
    first, second = engine.generate([PROMPTS[3]] * 2, mlm.Sampling(max_tokens=24, temperature=1.0, seed=1))

    assert first.ids != second.ids


def test_a_stop_string_ends_the_text_before_it(engine: mlm.Engine) -> None:
    whole = engine.generate([PROMPTS[5]], mlm.Sampling(max_tokens=30))[0]
    stop = whole.text[4:7]
    cut = engine.generate([PROMPTS[5]], mlm.Sampling(max_tokens=30, stop=(stop,)))[0]

    assert whole.text[: whole.text.index(stop)] == cut.text
    assert cut.finish_reason == "stop"
    assert len(cut.ids) < len(whole.ids)


def test_a_text_ends_where_the_model_does(engine: mlm.Engine) -> None:
    prompts = [list(range(3 + shift, 103 + shift)) for shift in range(8)]
    made = engine.generate(prompts, mlm.Sampling(max_tokens=1000))
    cut = [(prompt, one) for prompt, one in zip(prompts, made, strict=True) if one.finish_reason == "length"]

    assert {len(prompt) + len(one.ids) for prompt, one in cut} == {128} == {engine.max_length}


@pytest.mark.parametrize("prompt", [[], [1] * 128, [320], [-1]])
def test_a_prompt_that_does_not_fit_is_refused(engine: mlm.Engine, prompt: list[int]) -> None:
    with pytest.raises(ValueError, match=r"model takes|vocabulary"):
        engine.generate([prompt], mlm.Sampling())


async def test_a_stream_refuses_before_its_first_token(engine: mlm.Engine) -> None:
    with pytest.raises(ValueError, match="model takes"):
        await anext(engine.stream([1] * 128, mlm.Sampling()))


def test_no_prompts_give_no_answers(engine: mlm.Engine) -> None:
    assert engine.generate([], mlm.Sampling()) == []
    assert engine.logprobs([]) == []


def test_a_device_that_is_not_there_is_named(
    tiny_llama: mlm.Model, make_context: Callable[[str], mlm.Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(mlm.ProjectError, match='device is "cuda"'):
        Transformers(device="cuda").mlm_load(tiny_llama, make_context("out"))


@pytest.mark.real
def test_a_real_model_says_what_was_published(
    stories: mlm.Model, golden: dict[str, Any], make_context: Callable[[str], mlm.Context]
) -> None:
    engine = Transformers().mlm_load(stories, make_context("out"))
    made = engine.generate([golden["prompt_ids"]], mlm.Sampling(max_tokens=200))[0]
    engine.close()

    assert golden["greedy_ids_hf"] == [*golden["prompt_ids"], *made.ids]
    assert golden["expected_text_run_c_200_steps"] == made.text
