"""A step of the SFT trainer, beside a plain torch loop over the same model and batches."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.benchmarks.measuring import Pair, Size, benchmark
from tests.benchmarks.models import context, random_llama

import mlm

BATCH = 8
PROMPT, COMPLETION = "x" * 31 + " ", "y" * 31
RATE = 1e-4


@benchmark(
    "sft",
    "a step of 8 rows of 64 tokens, 1 M parameters, ms of CPU",
    peer="a plain torch loop",
    goal="<= 1.3",
    rounds=3,
)
def finetuning(size: Size) -> Iterator[Pair]:
    import torch

    torch.set_num_threads(1)
    model = random_llama(size.folder / "model", layers=4, width=128, vocabulary=2048)
    steps = size.of(40, 6)
    rows = [{"row_id": str(n), "source": "bench", "prompt": PROMPT, "completion": COMPLETION} for n in range(64)]
    data = _stored(rows, size)
    yield lambda: 1000 * _ours(model, data, steps, size), lambda: 1000 * _theirs(model, steps)


def _stored(rows: list[dict[str, str]], size: Size) -> mlm.Dataset:
    import pyarrow as pa

    with mlm.DatasetWriter(size.folder / "rows") as writer:
        writer.write(mlm.Batch(pa.Table.from_pylist(rows)))
    return writer.dataset


def _ours(model: mlm.Model, data: mlm.Dataset, steps: int, size: Size) -> float:
    """Return CPU seconds a step, from the end of the first step on: loading and tokenizing are not steps."""
    import shutil

    from mlm_plugins.trainers.sft import SFT

    ends: list[float] = []
    where = context(size.folder / "chat", lambda done: ends.append(time.process_time()))
    SFT(steps=steps, batch_size=BATCH, learning_rate=RATE, save_steps=10_000).mlm_train(data, model, where)
    shutil.rmtree(where.work)
    # The last step's end comes before the model is stored.
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def _theirs(model: mlm.Model, steps: int) -> float:
    import torch
    import transformers

    network = transformers.AutoModelForCausalLM.from_pretrained(model.path, dtype=torch.float32).train()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model.path)
    prompt, completion = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (PROMPT, COMPLETION))
    completion = [*completion, tokenizer.eos_token_id]
    ids = torch.tensor([prompt + completion] * BATCH)
    labels = torch.tensor([[-100] * len(prompt) + completion] * BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    ends = []
    for _ in range(steps):
        network(input_ids=ids, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        ends.append(time.process_time())
    return (ends[-1] - ends[0]) / (len(ends) - 1)
