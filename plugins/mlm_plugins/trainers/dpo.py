"""Aligns a model with preferences."""

from __future__ import annotations

from attrs import define, validators

import mlm
from mlm_plugins.trainers.conversations import as_messages
from mlm_plugins.trainers.loading import load_model, load_rows, prepare
from mlm_plugins.trainers.running import run
from mlm_plugins.trainers.schedule import Schedule


@define(kw_only=True)
class DPO(Schedule):
    """Direct preference optimization with TRL (Rafailov et al. 2023), with an SFT term."""

    steps: int = mlm.setting(120, validator=validators.ge(1), unit="steps", help="optimizer steps")
    learning_rate: float = mlm.setting(1e-3, validator=validators.gt(0), help="peak learning rate")
    warmup_steps: int = mlm.setting(10, validator=validators.ge(0), unit="steps", help="steps up to the peak")
    beta: float = mlm.setting(0.3, validator=validators.gt(0), help="pull towards the reference model")
    sft_weight: float = mlm.setting(
        1.0, validator=validators.ge(0), help="weight of the likelihood of the chosen answer (Pang et al. 2024)"
    )
    reference: mlm.Model | None = mlm.input(None, help="reference model; the starting model where it is left out")

    @mlm.hookimpl
    def mlm_train(self, data: mlm.Dataset, model: mlm.Model, context: mlm.Context) -> mlm.Model:
        prepare(context)
        from trl import DPOConfig, DPOTrainer

        network, tokenizer = load_model(model)
        rows = load_rows(data, ["prompt", "chosen", "rejected"], context)
        trainer = DPOTrainer(
            model=network,
            ref_model=load_model(self.reference)[0] if self.reference else None,
            args=DPOConfig(
                **self.arguments(context),
                max_length=self.max_length,
                beta=self.beta,
                loss_type=["sigmoid", "sft"],
                loss_weights=[1.0, self.sft_weight],
                # The reference never changes: one pass before training instead of one a step. A resumed run computes
                # it again before the checkpoint's weights are loaded, so it stays that of the starting model.
                precompute_ref_log_probs=True,
            ),
            train_dataset=as_messages(rows, tokenizer),
            processing_class=tokenizer,
        )
        return run(trainer, context, model.path)
