"""Shrink an ONNX model to a quarter."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from attrs import define
from attrs.validators import in_

import mlm
from mlm_plugins.exporters.folders import copy_companions
from mlm_plugins.exporters.graph import MAX_INLINE_BYTES

INT8_COMPUTE = 4
"""onnxruntime's accuracy level that multiplies in int8, each row of activations with scales of its own."""


@define(kw_only=True)
class OnnxInt8:
    """Quantize an ONNX model's weights to int8 in blocks (onnxruntime MatMulNBits).

    Not `quantize_dynamic`: it scales a whole batch of activations at once, so that an answer would depend on who else
    is being served; here each row has scales of its own.
    """

    block_size: int = mlm.setting(32, validator=in_([16, 32, 64, 128, 256]), help="weights that share one scale")

    @mlm.hookimpl
    def mlm_export(self, model: mlm.Model, context: mlm.Context) -> mlm.Model:
        """Write `model.onnx` with int8 weights, and the tokenizer beside it."""
        source = model.path / "model.onnx"
        if not source.is_file():
            raise mlm.DataError(
                f"{model.ref or model.path} is no ONNX model (it has no model.onnx); onnx-int8 takes the product of a "
                'step with use = "onnx"'
            )
        copy_companions(model.path, context.folder)
        _quantize(source, context.folder / "model.onnx", self.block_size)
        metadata = {**model.metadata, "precision": "int8", "source_digest": model.digest}
        return mlm.Model(context.folder, library="onnxruntime", metadata=metadata)


def _quantize(source: Path, target: Path, block_size: int) -> None:
    import onnx

    quantizer = _quantizer()(
        str(source),
        bits=8,
        block_size=block_size,
        is_symmetric=True,
        accuracy_level=INT8_COMPUTE,
        op_types_to_quantize=("MatMul",),
    )
    quantizer.process()
    graph = quantizer.model.model
    large = graph.ByteSize() > MAX_INLINE_BYTES
    onnx.save(graph, target, save_as_external_data=large, location="model.onnx.data" if large else None)


def _quantizer() -> Any:
    """Import the quantizer without the root log handler that its module installs."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("onnxruntime.quantization").setLevel(logging.WARNING)
    return MatMulNBitsQuantizer
