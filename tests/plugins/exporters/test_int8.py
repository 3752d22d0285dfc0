"""The int8 export: smaller, near, and as independent of the batch as float32."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlm
from mlm_plugins.exporters.int8 import OnnxInt8

pytestmark = pytest.mark.heavy


def forward(model: mlm.Model, ids: Any) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(model.path / "model.onnx", providers=["CPUExecutionProvider"])
    shapes = {part.name: (len(ids), part.shape[1], 0, part.shape[3]) for part in session.get_inputs()[3:]}
    past = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    places = np.arange(ids.shape[1])[None].repeat(len(ids), 0)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "position_ids": places}
    return session.run(["logits"], inputs | past)[0]


@pytest.fixture
def quantized(tiny_onnx: mlm.Model, make_context: Callable[[str], mlm.Context]) -> mlm.Model:
    return OnnxInt8().mlm_export(tiny_onnx, make_context("int8"))


IDS = np.random.default_rng(1).integers(3, 320, (8, 24))


def test_logits_stay_near_those_of_float32(tiny_onnx: mlm.Model, quantized: mlm.Model) -> None:
    exact, rounded = forward(tiny_onnx, IDS), forward(quantized, IDS)

    # Weights are rounded to 1/127 of each block's largest: errors of a few hundredths of the logits' own spread.
    assert np.abs(exact - rounded).mean() < 0.05 * exact.std()


def test_a_row_does_not_depend_on_its_company(quantized: mlm.Model) -> None:
    together = forward(quantized, IDS)

    for row in range(len(IDS)):
        np.testing.assert_allclose(forward(quantized, IDS[row : row + 1])[0], together[row], atol=1e-4)


def test_weights_shrink_and_companions_stay(tiny_onnx: mlm.Model, quantized: mlm.Model) -> None:
    def names(path: Path) -> set[str]:
        return {file.name for file in path.iterdir()}

    assert names(tiny_onnx.path) == names(quantized.path)
    assert quantized.metadata["precision"] == "int8"
    assert (quantized.path / "model.onnx").stat().st_size < (tiny_onnx.path / "model.onnx").stat().st_size
    assert quantized.library == "onnxruntime"


def test_nothing_is_printed_and_logging_is_left_alone(
    tiny_onnx: mlm.Model, make_context: Callable[[str], mlm.Context], capfd: pytest.CaptureFixture[str]
) -> None:
    before = list(logging.getLogger().handlers), logging.getLogger().level
    OnnxInt8().mlm_export(tiny_onnx, make_context("int8"))

    assert capfd.readouterr() == ("", "")
    assert before == (list(logging.getLogger().handlers), logging.getLogger().level)


def test_a_model_that_is_no_onnx_model_is_refused(
    tiny_llama: mlm.Model, make_context: Callable[[str], mlm.Context]
) -> None:
    with pytest.raises(mlm.DataError, match="is no ONNX model"):
        OnnxInt8().mlm_export(tiny_llama, make_context("int8"))


@pytest.mark.real
def test_a_real_model_keeps_its_mind(
    stories_onnx: mlm.Model, golden: dict[str, Any], make_context: Callable[[str], mlm.Context]
) -> None:
    ids = np.array([golden["greedy_ids_hf"]])
    quantized = OnnxInt8().mlm_export(stories_onnx, make_context("int8"))
    agreement = np.mean(forward(stories_onnx, ids).argmax(-1) == forward(quantized, ids).argmax(-1))

    assert agreement > 0.97
