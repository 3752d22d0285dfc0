"""What tests of several kinds of plugins share: contexts, a tiny tokenizer, a tiny model, real models where present."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mlm

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

CHAT_TEMPLATE = """{{ bos_token }}
{%- for message in messages %}
    {%- if message['role'] not in ['system', 'user', 'assistant'] %}
        {{- raise_exception('unknown role ' + message['role']) }}
    {%- endif %}
    {{- '<|' + message['role'] + '|> ' + message['content'] + eos_token }}
{% endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>' }}
{%- endif %}
"""
WORDS = [
    "the",
    "capital",
    "of",
    "is",
    "a",
    "river",
    "city",
    "mountain",
    "north",
    "south",
    "old",
    "new",
    ".",
    ",",
    "?",
    "what",
    "where",
    "who",
]


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[[str], mlm.Context]:
    """Make a context whose folder has this name."""

    def make(name: str = "out") -> mlm.Context:
        problem = mlm.Problem(name="t", task="chat", purpose="p")
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return mlm.Context(folder=folder, work=tmp_path, project=tmp_path, problem=problem, threads=1)

    return make


@pytest.fixture(scope="session")
def byte_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a byte-level BPE tokenizer and a chat template that puts one space before contents."""
    import json

    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    folder = tmp_path_factory.mktemp("tokenizer")
    special = ["<pad>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))] * 5, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "model_max_length": 128,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    return folder


@pytest.fixture(scope="session")
def tiny_llama(byte_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> mlm.Model:
    """A Llama of two layers with random weights, and the tokenizer above."""
    import shutil

    import torch
    import transformers

    folder = tmp_path_factory.mktemp("tiny-llama")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = transformers.LlamaConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.4,  # far from uniform, so that greedy choices are no ties
        tie_word_embeddings=False,
    )
    transformers.logging.disable_progress_bar()
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    shutil.copytree(byte_tokenizer, folder, dirs_exist_ok=True)
    return mlm.Model(folder, digest="0" * 64)


@pytest.fixture(scope="session")
def stories() -> mlm.Model:
    """stories260K: a real trained Llama with a published greedy continuation."""
    return mlm.Model(_real("models/stories260K/hf"))


@pytest.fixture(scope="session")
def tiny_onnx(tiny_llama: mlm.Model, tmp_path_factory: pytest.TempPathFactory) -> mlm.Model:
    """The tiny Llama, exported; takes about ten seconds, once."""
    return _exported(tiny_llama, tmp_path_factory.mktemp("tiny-onnx"))


@pytest.fixture(scope="session")
def stories_onnx(stories: mlm.Model, tmp_path_factory: pytest.TempPathFactory) -> mlm.Model:
    """stories260K, exported."""
    return _exported(stories, tmp_path_factory.mktemp("stories-onnx"))


def _exported(model: mlm.Model, folder: Path) -> mlm.Model:
    from mlm_plugins.exporters.onnx import Onnx

    problem = mlm.Problem(name="t", task="chat", purpose="p")
    return Onnx().mlm_export(model, mlm.Context(folder=folder, work=folder, project=folder, problem=problem, threads=1))


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """What stories260K says: `prompt_ids`, `greedy_ids_hf`, `expected_text_run_c_200_steps`, `published_val_loss`."""
    import json

    return dict(json.loads(_real("models/stories260K/golden.json").read_text()))


def _real(path: str) -> Path:
    root = os.environ.get("MLM_REAL_DATA")
    if not root:
        pytest.skip("MLM_REAL_DATA is not set")
    return Path(root) / path
