"""The ONNX export against torch, and what its folder holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mlm
from mlm_plugins.exporters.onnx import Onnx

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def session(tiny_onnx: mlm.Model) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(tiny_onnx.path / "model.onnx", providers=["CPUExecutionProvider"])


def feed(session: Any, ids: Any, mask: Any, positions: Any, past: list[Any]) -> tuple[Any, list[Any]]:
    names = [part.name for part in session.get_inputs()[3:]]
    feeds = {"input_ids": ids, "attention_mask": mask, "position_ids": positions, **dict(zip(names, past, strict=True))}
    logits, *present = session.run(None, feeds)
    return logits, present


@pytest.mark.parametrize(("rows", "first", "then"), [(1, 1, 1), (1, 9, 1), (3, 5, 4), (2, 1, 6)])
def test_logits_equal_torch_for_any_batch_and_length(
    session: Any, tiny_llama: mlm.Model, rows: int, first: int, then: int
) -> None:
    import torch
    import transformers

    ids = np.random.default_rng(0).integers(3, 320, (rows, first + then))
    positions = np.arange(first + then)[None].repeat(rows, 0)
    mask = np.ones_like(ids)
    empty = [np.zeros((rows, 2, 0, 8), np.float32) for _ in range(4)]
    begin, past = feed(session, ids[:, :first], mask[:, :first], positions[:, :first], empty)
    end, _ = feed(session, ids[:, first:], mask, positions[:, first:], past)
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama.path).eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(ids)).logits.numpy()

    # float32 in another order of summation; logits are of size 10.
    np.testing.assert_allclose(np.concatenate([begin, end], axis=1), expected, atol=1e-4)


def test_inputs_and_outputs_have_the_names_and_axes_that_other_tools_know(session: Any) -> None:
    axes = {part.name: part.shape for part in (*session.get_inputs(), *session.get_outputs())}

    assert axes["input_ids"] == axes["position_ids"] == ["batch", "sequence"]
    assert axes["attention_mask"] == ["batch", "total"]
    assert axes["past_key_values.1.value"] == ["batch", 2, "past", 8]
    assert axes["present.1.value"] == ["batch", 2, "total", 8]
    assert axes["logits"] == ["batch", "sequence", 320]


def test_the_graph_is_valid_and_tells_nothing_of_this_machine(tiny_onnx: mlm.Model) -> None:
    import onnx

    onnx.checker.check_model(str(tiny_onnx.path / "model.onnx"), full_check=True)
    data = (tiny_onnx.path / "model.onnx").read_bytes()
    assert b".py" not in data
    assert b"/site-packages" not in data


def test_the_folder_holds_what_serving_needs_and_no_weights_of_torch(
    tiny_onnx: mlm.Model, tiny_llama: mlm.Model
) -> None:
    names = {file.name for file in tiny_onnx.path.iterdir()}

    assert names == {
        "model.onnx",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    }
    assert tiny_onnx.library == "onnxruntime"
    assert tiny_onnx.metadata["precision"] == "float32"
    assert tiny_onnx.metadata["source_digest"] == tiny_llama.digest


def test_nothing_is_printed_and_equal_models_give_equal_bytes(
    tiny_llama: mlm.Model,
    tiny_onnx: mlm.Model,
    make_context: Callable[[str], mlm.Context],
    capfd: pytest.CaptureFixture[str],
) -> None:
    again = Onnx().mlm_export(tiny_llama, make_context("again"))

    assert capfd.readouterr() == ("", "")
    assert (tiny_onnx.path / "model.onnx").read_bytes() == (again.path / "model.onnx").read_bytes()


def test_what_is_exported_already_is_refused(tiny_onnx: mlm.Model, make_context: Callable[[str], mlm.Context]) -> None:
    with pytest.raises(mlm.DataError, match="takes a transformers model"):
        Onnx().mlm_export(tiny_onnx, make_context("out"))


@pytest.mark.parametrize("family", ["gpt2", "qwen2", "gemma", "gpt_neox"])
def test_other_families_export_too(family: str, make_context: Callable[[str], mlm.Context]) -> None:
    import onnxruntime
    import torch
    import transformers

    sizes = {
        "vocab_size": 64,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 32,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    extra = {
        "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 32},
        "gemma": {"num_key_value_heads": 2, "head_dim": 8},
        "qwen2": {"num_key_value_heads": 2},
    }
    renamed = {} if family == "gpt2" else sizes
    config = transformers.AutoConfig.for_model(family, **({"vocab_size": 64} | renamed | extra.get(family, {})))
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    source = make_context("source").folder
    model.save_pretrained(source)
    exported = Onnx().mlm_export(mlm.Model(source), make_context("out"))
    session = onnxruntime.InferenceSession(exported.path / "model.onnx", providers=["CPUExecutionProvider"])
    ids = np.array([[5, 6, 7, 8]])
    past = [np.zeros((1, part.shape[1], 0, part.shape[3]), np.float32) for part in session.get_inputs()[3:]]
    logits, past = feed(session, ids[:, :3], np.ones((1, 3), int), np.arange(3)[None], past)
    last, _ = feed(session, ids[:, 3:], np.ones((1, 4), int), np.array([[3]]), past)
    with torch.no_grad():
        expected = model(torch.from_numpy(ids)).logits.numpy()

    np.testing.assert_allclose(np.concatenate([logits, last], axis=1), expected, atol=1e-4)
