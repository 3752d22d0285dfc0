"""Trains a small Llama from nothing, or goes on training a model, on plain text."""

from __future__ import annotations

from typing import Any

from attrs import define, validators

import mlm
from mlm_plugins.trainers.loading import load_model, load_rows, load_tokenizer, prepare
from mlm_plugins.trainers.running import run
from mlm_plugins.trainers.schedule import Schedule


@define(kw_only=True)
class Pretrain(Schedule):
    """Next-token prediction on `text` rows with transformers (Llama, Touvron et al. 2023)."""

    tokenizer: mlm.Model | None = mlm.input(None, help="tokenizer of a new model; not needed with `model`")
    hidden_size: int = mlm.setting(128, validator=validators.ge(8), help="width of a new model")
    layers: int = mlm.setting(2, validator=validators.ge(1), help="layers of a new model")
    heads: int = mlm.setting(4, validator=validators.ge(1), help="attention heads of a new model")
    kv_heads: int = mlm.setting(
        2, validator=validators.ge(1), help="key-value heads of a new model (Ainslie et al. 2023)"
    )
    intermediate_size: int = mlm.setting(384, validator=validators.ge(8), help="width of the feed-forward layers")
    prefix: str = mlm.setting(" ", help="put before each text; '' where the tokenizer adds a space of its own")

    def __attrs_post_init__(self) -> None:
        if self.hidden_size % self.heads or self.heads % self.kv_heads:
            sizes = f"hidden_size {self.hidden_size}, heads {self.heads}, kv_heads {self.kv_heads}"
            raise ValueError(f"hidden_size must be a multiple of heads, and heads of kv_heads; got {sizes}")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, model: mlm.Model | None, context: mlm.Context) -> mlm.Model:
        source = model or self.tokenizer
        if source is None:
            raise mlm.ProjectError("pretrain needs a model to go on with, or a tokenizer for a new one", context.step)
        prepare(context)
        from transformers import Trainer, TrainingArguments

        network, tokenizer = load_model(model) if model else self._new(source)
        rows = load_rows(data, ["text"], context).map(self._windows(tokenizer), batched=True, remove_columns=["text"])
        trainer = Trainer(
            model=network,
            args=TrainingArguments(**self.arguments(context)),
            train_dataset=rows,
            data_collator=_padded(tokenizer.pad_token_id),
        )
        return run(trainer, context, source.path)

    def _new(self, source: mlm.Model) -> tuple[Any, Any]:
        from transformers import LlamaConfig, LlamaForCausalLM

        tokenizer = load_tokenizer(source)
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=self.hidden_size,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            intermediate_size=self.intermediate_size,
            max_position_embeddings=self.max_length,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        return LlamaForCausalLM(config), tokenizer

    def _windows(self, tokenizer: Any) -> Any:
        """Return a map from texts to token ids; a text longer than `max_length` becomes several rows."""

        def windows(rows: dict[str, list[str]]) -> dict[str, list[list[int]]]:
            texts = [self.prefix + text.strip() for text in rows["text"]]
            ids = [[*one, tokenizer.eos_token_id] for one in tokenizer(texts, verbose=False)["input_ids"]]
            cut = [one[i : i + self.max_length] for one in ids for i in range(0, len(one), self.max_length)]
            return {"input_ids": [one for one in cut if len(one) > 1]}

        return windows


def _padded(pad_id: int) -> Any:
    """Return a collator that pads on the right; padding has no loss, an end of sequence does even where it pads."""

    def collate(rows: list[dict[str, list[int]]]) -> dict[str, Any]:
        import torch

        width = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), width), pad_id)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            length = len(row["input_ids"])
            ids[i, :length] = torch.tensor(row["input_ids"])
            mask[i, :length] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}

    return collate
