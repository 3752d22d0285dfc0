"""Aligns a model with preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, validators

import mlm
from mlm_plugins.trainers.counting import Counts
from mlm_plugins.trainers.loading import load_model, load_preferences, name_of, prepare, sequences_of
from mlm_plugins.trainers.preferences import Pairs
from mlm_plugins.trainers.running import run
from mlm_plugins.trainers.schedule import Schedule

if TYPE_CHECKING:
    import datasets


@define(kw_only=True)
class DPO(Schedule):
    """Direct preference optimization with TRL (Rafailov et al. 2023), with an SFT term.

    A row holds `prompt`, `chosen` and `rejected`, as text or as messages, perhaps with `tools`. They are written and
    tokenized as `sft` writes a conversation.
    """

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
        from trl import DPOConfig

        network, tokenizer = load_model(model)
        counts = Counts()

        def made(one: mlm.Dataset) -> list[datasets.Dataset]:
            tokens = Pairs(tokenizer, self.max_length, name_of(one), counts).tokens
            return [tokens(table) for table in load_preferences(one, context)]

        rows = sequences_of(data, made, self.max_length)
        trainer = _trainer()(
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
            train_dataset=rows,
            processing_class=tokenizer,
        )
        return run(trainer, context, model.path, counts)


def _trainer() -> type[Any]:
    """Return TRL's trainer, for rows that are token ids already."""
    from trl import DPOTrainer

    class Prepared(DPOTrainer):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: datasets.Dataset, *_: Any) -> datasets.Dataset:
            return dataset

    return Prepared
