"""A session over a transformers model: the reference that exports are compared with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlm

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Floats, Integers


class TorchSession:
    """A causal language model in float32, whatever it was stored in, so that results do not depend on the batch."""

    def __init__(self, folder: Path, device: str, threads: int) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        import torch
        import transformers

        transformers.logging.disable_progress_bar()
        torch.set_num_threads(threads)
        if device != "cpu" and not torch.cuda.is_available():
            raise mlm.ProjectError(f'device is "{device}", but torch finds no such device here; set device = "cpu"')
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
        self._model = model.to(device).eval()
        self._device = device
        self.backend = f"transformers {transformers.__version__} torch {torch.__version__} {device}"

    def no_past(self, rows: int) -> list[Any]:
        """Return no cache; transformers starts one itself."""
        return []

    def forward(self, ids: Integers, mask: Integers, positions: Integers, past: list[Any]) -> tuple[Floats, list[Any]]:
        """Compute logits and the longer cache."""
        import torch
        from transformers import DynamicCache

        cache = DynamicCache()
        with torch.inference_mode():
            for layer, (keys, values) in enumerate(zip(past[::2], past[1::2], strict=True)):
                cache.update(keys, values, layer)
            out = self._model(
                input_ids=self._tensor(ids),
                attention_mask=self._tensor(mask),
                position_ids=self._tensor(positions),
                past_key_values=cache,
                use_cache=True,
            )
        present = [part for layer in out.past_key_values.layers for part in (layer.keys, layer.values)]
        return out.logits.float().cpu().numpy(), present

    def unpack(self, part: Any) -> Floats:
        """Return one part of a cache as an array."""
        array: Floats = part.cpu().numpy()
        return array

    def pack(self, array: Floats) -> Any:
        """Return an array as one part of a cache."""
        return self._tensor(array)

    def _tensor(self, array: Any) -> Any:
        import torch

        return torch.from_numpy(array).to(self._device)
