"""Tokens for each CPU second of the ONNX engine, beside `generate` of transformers on the same model."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.models import context, random_llama

import mlm

PROMPT_TOKENS = 32
NEW_TOKENS = 32


def decoding(size: Size, requests: int) -> Iterator[Pair]:
    import torch

    from mlm_plugins.servers.onnxruntime import OnnxRuntime

    torch.set_num_threads(1)
    model = random_llama(size.folder / "model", layers=size.of(6, 1), width=size.of(384, 64))
    engine = OnnxRuntime().mlm_load(model=_exported(model, size.folder))
    network = _loaded(model)
    vocabulary, numbers = network.config.vocab_size, random.Random(0)
    prompts = [[numbers.randrange(3, vocabulary) for _ in range(PROMPT_TOKENS)] for _ in range(requests)]
    yield partial(_ours, engine, prompts), partial(_theirs, network, prompts)
    engine.close()


for _requests, _goal in ((1, ">= 2"), (8, ">= 1"), (32, ">= 1")):
    benchmark(
        f"decode-{_requests}",
        f"{_requests} at once, prompt 32, 32 new tokens, 14 M parameters: tokens a CPU second",
        peer="transformers `generate`, one batch",
        goal=_goal,
        rounds=3,
    )(partial(decoding, requests=_requests))


def _exported(model: mlm.Model, folder: Path) -> mlm.Model:
    from mlm_plugins.exporters.onnx import Onnx

    return Onnx().mlm_export(model, context(folder / "onnx"))


def _loaded(model: mlm.Model) -> Any:
    import transformers

    network = transformers.AutoModelForCausalLM.from_pretrained(model.path).eval()
    network.generation_config.eos_token_id = None
    network.generation_config.pad_token_id = 0
    return network


def _ours(engine: mlm.Engine, prompts: list[list[int]]) -> float:
    started = time.process_time()
    answers = engine.generate(prompts, mlm.Sampling(max_tokens=NEW_TOKENS))
    return sum(len(answer.ids) for answer in answers) / (time.process_time() - started)


def _theirs(network: Any, prompts: list[list[int]]) -> float:
    import torch

    started = time.process_time()
    ids = torch.tensor(prompts)
    with torch.no_grad():
        made = network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False)
    return float(made.numel() - ids.numel()) / (time.process_time() - started)
