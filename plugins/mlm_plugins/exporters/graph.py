"""A causal language model with its key-value cache, as one ONNX graph.

The names are those that optimum uses, so that other runtimes know them: `input_ids`, `attention_mask`, `position_ids`
and `past_key_values.<layer>.key|value` give `logits` and `present.<layer>.key|value`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlm

OPSET = 20
MAX_INLINE_BYTES = 2**31 - 2**24
"""Protobuf holds less than 2 GiB; 16 MiB are left for the graph itself."""


def export_graph(model: Any, file: Path) -> None:
    """Trace a transformers causal language model on CPU into `file`; batch, sequence and past stay free."""
    import torch

    layers, heads, width = _cache_shape(model)
    past = [torch.zeros(2, heads, 3, width) for _ in range(2 * layers)]
    # Sizes of 0 and 1 would be burnt into the graph, so the example has 2 rows, 4 new tokens and 3 past ones.
    ids, positions = torch.ones(2, 4, dtype=torch.long), torch.arange(3, 7).repeat(2, 1)
    example = (ids, torch.ones(2, 7, dtype=torch.long), positions, past)
    free = torch.export.Dim.DYNAMIC
    shapes = {
        "input_ids": {0: free, 1: free},
        "attention_mask": {0: free, 1: free},
        "position_ids": {0: free, 1: free},
        "past": [{0: free, 2: free} for _ in past],
    }
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            _with_flat_cache(model),
            example,
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=["input_ids", "attention_mask", "position_ids", *_cache_names("past_key_values", layers)],
            output_names=["logits", *_cache_names("present", layers)],
            opset_version=OPSET,
            optimize=True,
            verbose=False,
        )
        _tidy(program.model)
        program.save(str(file), external_data=_weight_bytes(model) > MAX_INLINE_BYTES)


def _cache_names(prefix: str, layers: int) -> list[str]:
    return [f"{prefix}.{layer}.{part}" for layer in range(layers) for part in ("key", "value")]


def _with_flat_cache(model: Any) -> Any:
    """Wrap the model so that its cache goes in and out as a flat list of tensors."""
    import torch
    from transformers import DynamicCache

    class FlatCache(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any, past: list[Any]) -> tuple[Any, ...]:
            cache = DynamicCache()
            for layer, (keys, values) in enumerate(zip(past[::2], past[1::2], strict=True)):
                cache.update(keys, values, layer)
            out = self.model(
                input_ids=input_ids,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=cache,
                use_cache=True,
            )
            present = [part for layer in out.past_key_values.layers for part in (layer.keys, layer.values)]
            return out.logits, *present

    return FlatCache().eval()


def _tidy(graph_model: Any) -> None:
    """Drop the tracer's notes, which hold paths of this machine, and name the free axes."""
    for node in graph_model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
    for value in (*graph_model.graph.inputs, *graph_model.graph.outputs):
        value.metadata_props.clear()
        past = value.name.startswith(("past_key_values", "present"))
        length = {"attention_mask": "total", "present": "total", "past_key_values": "past"}
        named = {0: "batch", 2 if past else 1: length.get(value.name.split(".")[0], "sequence")}
        value.shape = type(value.shape)([named.get(axis, size) for axis, size in enumerate(value.shape)])


def _cache_shape(model: Any) -> tuple[int, int, int]:
    """Return layers, key-value heads and width of a head, as one real step makes them."""
    import torch

    with torch.no_grad():
        cache = model(input_ids=torch.ones(1, 1, dtype=torch.long), use_cache=True).past_key_values
    layers = getattr(cache, "layers", [])
    shapes = {tuple(part.shape) for layer in layers for part in (layer.keys, layer.values)}
    if len(shapes) != 1:
        raise mlm.DataError(
            f"{type(model).__name__} keeps no uniform key-value cache, which the ONNX export needs; "
            "serve it with the transformers server"
        )
    _, heads, _, width = shapes.pop()
    return len(layers), heads, width


def _weight_bytes(model: Any) -> int:
    return sum(part.numel() * part.element_size() for part in (*model.parameters(), *model.buffers()))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's notes on its own progress and on packages that a language model does not need."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
