"""The settings that all gradient trainers share."""

from __future__ import annotations

from typing import Any

from attrs import define, validators

import mlm


@define(kw_only=True)
class Schedule:
    """Settings of every gradient trainer: AdamW (Loshchilov & Hutter 2019), linear warm-up and decay."""

    steps: int = mlm.setting(200, validator=validators.ge(1), unit="steps", help="optimizer steps")
    batch_size: int = mlm.setting(32, validator=validators.ge(1), unit="rows", help="rows of one step")
    learning_rate: float = mlm.setting(4e-3, validator=validators.gt(0), help="peak learning rate")
    warmup_steps: int = mlm.setting(15, validator=validators.ge(0), unit="steps", help="steps up to the peak")
    weight_decay: float = mlm.setting(0.0, validator=validators.ge(0), help="decoupled weight decay")
    beta2: float = mlm.setting(
        0.95, validator=validators.and_(validators.gt(0), validators.lt(1)), help="AdamW's beta2"
    )
    max_length: int = mlm.setting(256, validator=validators.ge(2), unit="tokens", help="longer sequences are cut")
    save_steps: int = mlm.setting(
        100, validator=validators.ge(1), unit="steps", help="steps between checkpoints", fingerprint=False
    )
    use_cpu: bool = mlm.setting(True, help="false lets the Trainer take an accelerator that it finds")

    def arguments(self, context: mlm.Context) -> dict[str, Any]:
        """Return keyword arguments for TrainingArguments and TRL's configs."""
        return {
            "output_dir": str(context.work / "checkpoints"),
            "max_steps": self.steps,
            "per_device_train_batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "warmup_steps": self.warmup_steps,
            "lr_scheduler_type": "linear",
            "weight_decay": self.weight_decay,
            "adam_beta2": self.beta2,
            "seed": context.seed,
            "data_seed": context.seed,
            "save_strategy": "steps",
            "save_steps": self.save_steps,
            "save_total_limit": 2,
            "logging_steps": max(1, min(10, self.steps // 20)),
            "logging_nan_inf_filter": False,
            "include_num_input_tokens_seen": "non_padding",
            "use_cpu": self.use_cpu,
            # TRL's own defaults are bf16 and gradient checkpointing, on a CPU too.
            "bf16": False,
            "activation_checkpointing": False,
            "dataloader_pin_memory": False,
            "report_to": "none",
            "disable_tqdm": True,
        }
