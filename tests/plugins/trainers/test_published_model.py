"""A published model, trained further and scored."""

from __future__ import annotations

import json
import os
from math import log
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import mlm
from mlm_plugins.evaluators.perplexity import Perplexity
from mlm_plugins.trainers.pretrain import Pretrain

pytestmark = [pytest.mark.real, pytest.mark.heavy]


@pytest.fixture
def stories() -> mlm.Model:
    if "MLM_REAL_DATA" not in os.environ:
        pytest.skip("MLM_REAL_DATA names no folder of real data")
    return mlm.Model(Path(os.environ["MLM_REAL_DATA"]) / "models" / "stories260K" / "hf")


@pytest.fixture
def story(stories: mlm.Model) -> str:
    golden = json.loads((stories.path.parent / "golden.json").read_text())
    return str(golden["expected_text_run_c_200_steps"])


def test_a_published_model_goes_on_from_what_it_knows(workshop: Any, stories: mlm.Model, story: str) -> None:
    data = workshop.data("stories", [{"text": story}] * 8)
    trainer = Pretrain(steps=3, batch_size=4, max_length=128, learning_rate=1e-4, warmup_steps=1, prefix="")

    model = trainer.mlm_train(data=data, model=stories, context=workshop.context("more"))

    assert workshop.points[0][1]["loss"] < log(512) / 3  # a guess among its 512 tokens would be log(512)
    assert model.metadata["parameters"] == pytest.approx(260_000, rel=0.02)
    assert (model.path / "tokenizer.json").read_bytes() == (stories.path / "tokenizer.json").read_bytes()


def test_its_perplexity_is_exp_of_the_loss_that_transformers_computes(
    workshop: Any, stories: mlm.Model, story: str
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from mlm_plugins.servers.transformers import Transformers

    # The evaluator scores texts as they are trained on, without white space at their ends.
    texts = [story, story[:200].strip(), "Once upon a time, there was a dog."]
    context = workshop.context("score")
    engine = Transformers().mlm_load(model=stories, context=context)
    try:
        report = Perplexity(prefix="").mlm_evaluate(
            model=stories,
            data=workshop.data("texts", [{"text": text} for text in texts]),
            context=evolve(context, load=lambda model, fresh: engine),
        )
    finally:
        engine.close()

    network, tokenizer = (kind.from_pretrained(stories.path) for kind in (AutoModelForCausalLM, AutoTokenizer))
    ids = [torch.tensor([tokenizer(text)["input_ids"]]) for text in texts]
    tokens = [one.shape[1] - 1 for one in ids]
    with torch.no_grad():
        losses = [network(input_ids=one, labels=one).loss.item() for one in ids]
    expected = sum(loss * count for loss, count in zip(losses, tokens, strict=True)) / sum(tokens)
    assert log(report.measures[0].value or 0) == pytest.approx(expected, rel=1e-4)
