"""The bundled plugins that work on models, under the conformance kit, with a tiny model of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import mlm
from mlm.plugins import Catalogue
from mlm.testing import Bench, checks_of

CATALOGUE = Catalogue.discover()
QUICK = {"steps": 6, "warmup_steps": 1, "batch_size": 4, "max_length": 64, "save_steps": 2}
TRAINERS: Mapping[str, Mapping[str, Any]] = {
    "bpe": {"vocab_size": 300},
    "pretrain": {**QUICK, "hidden_size": 16, "intermediate_size": 32, "heads": 2, "kv_heads": 2},
    "sft": QUICK,
    "dpo": QUICK,
    "text-classifier": {"epochs": 2, "bits": 10},
}

pytestmark = pytest.mark.heavy


def cases(kind: str, *names: str) -> list[Any]:
    return [pytest.param(n, c, id=f"{n}-{c.name}") for n in names for c in checks_of(kind) if c.kind == kind]


def bench(kind: str, name: str, folder: Path, model: mlm.Model, **settings: Any) -> Bench:
    ref = CATALOGUE.find(kind, f"mlm/{name}")
    return Bench(kind, CATALOGUE.load(ref), folder, lambda place: settings, model_of=lambda place: model, ref=ref)


@pytest.mark.parametrize(("name", "check"), cases("trainers", *TRAINERS))
def test_a_trainer_keeps_to_the_contract(name: str, check: Any, tiny_llama: mlm.Model, tmp_path: Path) -> None:
    check.run(bench("trainers", name, tmp_path, tiny_llama, **TRAINERS[name]))


@pytest.mark.parametrize(("name", "check"), cases("servers", "transformers", "onnxruntime"))
def test_a_server_keeps_to_the_contract(
    name: str, check: Any, tiny_llama: mlm.Model, tiny_onnx: mlm.Model, tmp_path: Path
) -> None:
    check.run(bench("servers", name, tmp_path, tiny_llama if name == "transformers" else tiny_onnx))


@pytest.mark.parametrize(("name", "check"), cases("exporters", "onnx", "onnx-int8"))
def test_an_exporter_keeps_to_the_contract(
    name: str, check: Any, tiny_llama: mlm.Model, tiny_onnx: mlm.Model, tmp_path: Path
) -> None:
    check.run(bench("exporters", name, tmp_path, tiny_llama if name == "onnx" else tiny_onnx))


@pytest.mark.parametrize(("name", "check"), cases("models", "folder"))
def test_an_importer_keeps_to_the_contract(name: str, check: Any, tiny_llama: mlm.Model, tmp_path: Path) -> None:
    check.run(bench("models", name, tmp_path, tiny_llama, path=tiny_llama.path, license="apache-2.0"))
