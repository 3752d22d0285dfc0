"""Models and contexts that benchmarks share: a Llama with random weights, a tokenizer of bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mlm

SPECIAL = ["<pad>", "<s>", "</s>"]


def context(folder: Path, progress: Callable[[float], None] = lambda done: None, seed: int = 0) -> mlm.Context:
    """Make a context whose folder and work folder are there."""
    work = folder.with_name(folder.name + ".work")
    for path in (folder, work):
        path.mkdir(parents=True, exist_ok=True)
    return mlm.Context(
        folder=folder,
        work=work,
        project=folder,
        problem=mlm.Problem(name="bench", task="chat", purpose="measure"),
        seed=seed,
        threads=1,
        progress=lambda done, total=None, note="": progress(done),
    )


def random_llama(folder: Path, *, layers: int, width: int, vocabulary: int = 8192) -> mlm.Model:
    """Store a Llama of this size; seeded, so that every run measures the same weights."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=width * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=width // 32,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=True,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    _byte_tokenizer(folder)
    return mlm.Model(folder)


def _byte_tokenizer(folder: Path) -> None:
    """Write a tokenizer whose tokens are the bytes, after three special ones."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate([*SPECIAL, *alphabet])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(zip(("pad_token", "bos_token", "eos_token"), SPECIAL, strict=True))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 256, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
