"""Teaches a model to answer as the completions do."""

from __future__ import annotations

from attrs import define, validators

import mlm
from mlm_plugins.trainers.conversations import as_messages
from mlm_plugins.trainers.loading import load_model, load_rows, prepare
from mlm_plugins.trainers.running import run
from mlm_plugins.trainers.schedule import Schedule


@define(kw_only=True)
class SFT(Schedule):
    """Supervised fine-tuning on `prompt` and `completion` with TRL (Ouyang et al. 2022)."""

    steps: int = mlm.setting(400, validator=validators.ge(1), help="optimizer steps", unit="steps")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, model: mlm.Model, context: mlm.Context) -> mlm.Model:
        prepare(context)
        from trl import SFTConfig, SFTTrainer

        network, tokenizer = load_model(model)
        rows = load_rows(data, ["prompt", "completion"], context)
        trainer = SFTTrainer(
            model=network,
            args=SFTConfig(**self.arguments(context), max_length=self.max_length, completion_only_loss=True),
            train_dataset=as_messages(rows, tokenizer),
            processing_class=tokenizer,
        )
        return run(trainer, context, model.path)
