"""A session over an ONNX graph whose cache goes in and out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlm

if TYPE_CHECKING:
    from mlm_plugins.servers.session import Floats, Integers


class OnnxSession:
    """An onnxruntime session over a `model.onnx` that mlm's onnx exporter wrote."""

    def __init__(self, folder: Path, providers: Sequence[str], threads: int) -> None:
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime as ort

        file = folder / "model.onnx"
        if not file.is_file():
            raise mlm.DataError(f'{folder} has no model.onnx; export the model first, for example with use = "onnx"')
        _require_built_in(providers, ort.get_available_providers())
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads would starve the event loop that serves the tokens.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._graph = ort.InferenceSession(str(file), options, providers=list(providers))
        self._value = ort.OrtValue.ortvalue_from_numpy
        self.backend = f"onnxruntime {ort.__version__} {_require_used(providers, self._graph.get_providers())}"
        self._past = [part for part in self._graph.get_inputs() if part.name.startswith("past_key_values.")]
        if not self._past:
            raise mlm.DataError(f"{file} has no inputs named past_key_values.*; export it with mlm's onnx exporter")
        # Outputs are matched by name: exporters differ in their order.
        self._outputs = ["logits", *(part.name.replace("past_key_values", "present", 1) for part in self._past)]

    def no_past(self, rows: int) -> list[Any]:
        """Return the empty cache of `rows` sequences."""
        import numpy as np

        _, heads, _, width = self._past[0].shape
        return [self.pack(np.empty((rows, heads, 0, width), np.float32)) for _ in self._past]

    def forward(self, ids: Integers, mask: Integers, positions: Integers, past: list[Any]) -> tuple[Floats, list[Any]]:
        """Compute logits and the longer cache; the cache never becomes a Python array on the way."""
        inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
        feeds = {name: self._value(array) for name, array in inputs.items()}
        feeds |= {part.name: value for part, value in zip(self._past, past, strict=True)}
        logits, *present = self._graph.run_with_ort_values(self._outputs, feeds)
        return logits.numpy(), present

    def unpack(self, part: Any) -> Floats:
        """Return one part of a cache as an array."""
        array: Floats = part.numpy()
        return array

    def pack(self, array: Floats) -> Any:
        """Return a contiguous array as one part of a cache; on CPU they share memory."""
        return self._value(array)


def _require_built_in(providers: Sequence[str], known: Sequence[str]) -> None:
    for provider in providers:
        if provider not in known:
            raise mlm.ProjectError(
                f"this onnxruntime was built without {provider} (it has: {', '.join(known)}); install mlm[onnx-gpu], "
                'or set providers = ["CPUExecutionProvider"]'
            )


def _require_used(providers: Sequence[str], used: Sequence[str]) -> str:
    """Return the provider that computes; onnxruntime falls back to CPU without an error where a device is missing."""
    if providers and providers[0] != used[0]:
        raise mlm.ProjectError(
            f"{providers[0]} was asked for, but onnxruntime uses {used[0]} (no device, or its libraries are missing); "
            f'mend that, or set providers = ["{used[0]}"]'
        )
    return used[0]
