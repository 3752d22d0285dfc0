"""Teaches a model to answer as the completions do."""

from __future__ import annotations

from typing import Any

from attrs import define, validators

import mlm
from mlm_plugins.trainers.conversations import as_messages
from mlm_plugins.trainers.loading import load_model, load_rows, prepare
from mlm_plugins.trainers.running import run
from mlm_plugins.trainers.schedule import Schedule

_FLOAT_BYTES = 4
# Logits of this size, with their gradient and the softmax, are held without a thought on any machine.
_SMALL_BYTES = 256 << 20


@define(kw_only=True)
class SFT(Schedule):
    """Supervised fine-tuning on `prompt` and `completion` with TRL (Ouyang et al. 2022)."""

    steps: int = mlm.setting(400, validator=validators.ge(1), help="optimizer steps", unit="steps")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, model: mlm.Model, context: mlm.Context) -> mlm.Model:
        prepare(context)
        from trl import SFTConfig

        network, tokenizer = load_model(model)
        rows = load_rows(data, ["prompt", "completion"], context)
        trainer = _trainer(self.batch_size * self.max_length * network.config.vocab_size * _FLOAT_BYTES)(
            model=network,
            args=SFTConfig(**self.arguments(context), max_length=self.max_length, completion_only_loss=True),
            train_dataset=as_messages(rows, tokenizer),
            processing_class=tokenizer,
        )
        return run(trainer, context, model.path)


def _trainer(logits_bytes: int) -> type[Any]:
    """Return TRL's trainer, with the model's own loss where the logits of a batch are small.

    TRL's loss goes through the vocabulary in chunks and computes the logits twice. That saves memory where they are
    large, and costs a sixth of the time where they are small; the loss is the same.
    """
    from transformers import Trainer
    from trl import SFTTrainer

    if logits_bytes > _SMALL_BYTES:
        return SFTTrainer  # type: ignore[no-any-return]

    class OwnLoss(SFTTrainer):  # type: ignore[misc]
        compute_loss = Trainer.compute_loss

    return OwnLoss
