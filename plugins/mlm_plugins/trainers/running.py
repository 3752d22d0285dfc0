"""Runs a Hugging Face Trainer: resumes it, watches it, stores its model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from attrs import asdict

import mlm
from mlm_plugins.trainers.counting import Counts

CURVES = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "rewards/accuracies": "reward_accuracy",
    "rewards/margins": "reward_margin",
}
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "chat_template.jinja",
)  # fmt: skip


def newest_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that was written to its end.

    The Trainer writes `trainer_state.json` last, so a folder whose state cannot be read was cut off by a crash.
    """
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    return next((str(path) for path in found if _is_whole(path)), None)


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def run(trainer: Any, context: mlm.Context, tokenizer_folder: Path, counts: Counts | None = None) -> mlm.Model:
    """Train from the newest checkpoint, if there is one, and store the model as a Hugging Face folder.

    Args:
        counts: Of the sequences that it is trained on, for the model's metadata.
    """
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_watcher(context))
    trainer.train(resume_from_checkpoint=newest_checkpoint(Path(trainer.args.output_dir)))
    trainer.model.save_pretrained(context.folder, safe_serialization=True)
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copyfile(tokenizer_folder / name, context.folder / name)
    return mlm.Model(context.folder, metadata=_metadata(trainer) | (_counted(counts) if counts else {}))


def _counted(counts: Counts) -> dict[str, Any]:
    return asdict(counts) | ({"note": counts.note} if counts.note else {})


def _metadata(trainer: Any) -> dict[str, Any]:
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    tokens = int(trainer.state.num_input_tokens_seen)
    return {
        "parameters": parameters,
        "steps": trainer.state.global_step,
        "tokens": tokens,
        # 6 N D: forward and backward of N parameters over D tokens (Kaplan et al. 2020, 2.1).
        "training_flops": 6 * parameters * tokens,
    }


def _watcher(context: mlm.Context) -> Any:
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):  # type: ignore[misc]
        """Hands the Trainer's curves and progress to the context."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            # A resumed run starts a curve of its own: give it the part that was drawn before the interruption.
            for entry in state.log_history:
                self._draw(entry["step"], entry)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            self._draw(state.global_step, logs or {})

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            context.progress(state.global_step, state.max_steps)

        def _draw(self, step: int, logs: dict[str, float]) -> None:
            if "loss" in logs:
                context.log(step, **{CURVES[key]: float(value) for key, value in logs.items() if key in CURVES})

    return Watcher()
