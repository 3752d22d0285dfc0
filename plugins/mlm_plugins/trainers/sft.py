"""Teaches a model to answer as the assistant of conversations does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, validators

import mlm
from mlm_plugins.trainers.counting import Counts
from mlm_plugins.trainers.labels import Labeller
from mlm_plugins.trainers.loading import load_conversations, load_model, name_of, prepare, sequences_of
from mlm_plugins.trainers.running import run
from mlm_plugins.trainers.schedule import Schedule

if TYPE_CHECKING:
    import datasets

_FLOAT_BYTES = 4
# Logits of this size, with their gradient and the softmax, are held without a thought on any machine.
_SMALL_BYTES = 256 << 20


@define(kw_only=True)
class SFT(Schedule):
    """Supervised fine-tuning on conversations with TRL (Ouyang et al. 2022).

    A row holds `messages`, perhaps with `tools`, or `prompt` and `completion`. Every answer of the assistant that
    follows another message is learned, with the token that ends its turn; all else is read and not learned.
    """

    steps: int = mlm.setting(400, validator=validators.ge(1), help="optimizer steps", unit="steps")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, model: mlm.Model, context: mlm.Context) -> mlm.Model:
        prepare(context)
        from trl import SFTConfig

        network, tokenizer = load_model(model)
        counts = Counts()

        def made(one: mlm.Dataset) -> list[datasets.Dataset]:
            label = Labeller(tokenizer, self.max_length, name_of(one), counts).label
            return [label(table) for table in load_conversations(one, context)]

        rows = sequences_of(data, made, self.max_length)
        trainer = _trainer(self.batch_size * self.max_length * network.config.vocab_size * _FLOAT_BYTES)(
            model=network,
            args=SFTConfig(**self.arguments(context), dataset_kwargs={"skip_prepare_dataset": True}),
            train_dataset=rows,
            processing_class=tokenizer,
        )
        return run(trainer, context, model.path, counts)


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
