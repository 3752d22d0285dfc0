"""Importing a base model: copies what belongs to it, refuses what would run code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import mlm
from mlm_plugins.models.folder import Folder

MakeContext = Callable[[str], mlm.Context]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    import numpy as np
    from safetensors.numpy import save_file

    folder = tmp_path / "source"
    folder.mkdir()
    save_file({"a": np.zeros((3, 5), np.float32), "b": np.zeros(7, np.float16)}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


def test_weights_and_companions_are_copied_byte_by_byte(source: Path, make_context: MakeContext) -> None:
    (source / "chat_template.jinja").write_text("{{ messages }}")
    (source / "LICENSE").write_text("MIT")
    (source / "optimizer.dat").write_text("not of the model")
    (source / "runs").mkdir()
    model = Folder(path=source).mlm_import(make_context("out"))

    copied = {file.name: file.read_bytes() for file in model.path.iterdir()}
    kept = {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}
    kept.add("LICENSE")
    assert {name: (source / name).read_bytes() for name in kept} == copied
    assert model.library == "transformers"


def test_a_model_without_a_chat_template_is_given_one(source: Path, tmp_path: Path, make_context: MakeContext) -> None:
    (tmp_path / "own.jinja").write_text("{{ messages[0].content }}")

    model = Folder(path=source, chat_template=tmp_path / "own.jinja").mlm_import(make_context("out"))

    assert (model.path / "chat_template.jinja").read_text() == "{{ messages[0].content }}"


def test_architecture_and_parameters_are_read_from_the_files(source: Path, make_context: MakeContext) -> None:
    model = Folder(path=source, license="mit").mlm_import(make_context("out"))

    assert model.metadata == {"architecture": "LlamaForCausalLM", "parameters": 22, "license": "mit"}


def test_the_licence_of_the_card_is_taken_where_the_project_is_silent(source: Path, make_context: MakeContext) -> None:
    (source / "README.md").write_text("---\ntags: [x]\nlicense: apache-2.0\n---\nlicense: none\n")

    assert Folder(path=source).mlm_import(make_context("out")).metadata["license"] == "apache-2.0"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "training_args.bin", "state.pkl", "x.ckpt"])
def test_a_pickle_is_refused_even_beside_safetensors(source: Path, make_context: MakeContext, name: str) -> None:
    (source / name).write_bytes(b"\x80\x04.")

    with pytest.raises(mlm.DataError, match=f"{name}, which can run code"):
        Folder(path=source).mlm_import(make_context("out"))


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_that_brings_its_own_code_is_refused(source: Path, make_context: MakeContext, name: str) -> None:
    (source / name).write_text(json.dumps({"auto_map": {"AutoModel": "evil.Model"}}))

    with pytest.raises(mlm.DataError, match=f"{name} has auto_map"):
        Folder(path=source).mlm_import(make_context("out"))


def test_a_folder_that_is_no_model_is_named(source: Path, make_context: MakeContext, tmp_path: Path) -> None:
    with pytest.raises(mlm.DataError, match=r"has no config.json"):
        Folder(path=tmp_path / "absent").mlm_import(make_context("out"))
    (source / "model.safetensors").unlink()
    with pytest.raises(mlm.DataError, match=r"holds no \*.safetensors"):
        Folder(path=source).mlm_import(make_context("out"))


@pytest.mark.parametrize("change", [-20, 4])
def test_weights_of_another_length_than_their_header_tells_are_refused(
    source: Path, make_context: MakeContext, change: int
) -> None:
    weights = (source / "model.safetensors").read_bytes()
    (source / "model.safetensors").write_bytes((weights + b"\0" * 4)[: len(weights) + change])

    told = f"model.safetensors has {len(weights) + change} bytes, and its header tells of {len(weights)}: "
    with pytest.raises(mlm.DataError, match=told):
        Folder(path=source).mlm_import(make_context("out"))


def test_a_folder_that_lacks_a_part_of_its_weights_is_refused(source: Path, make_context: MakeContext) -> None:
    index = {"weight_map": {"a": "model.safetensors", "c": "model-00002-of-00002.safetensors"}}
    (source / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(mlm.DataError, match=r"source lacks model-00002-of-00002.safetensors, which model.safetensors."):
        Folder(path=source).mlm_import(make_context("out"))


def test_a_folder_without_a_whole_tokenizer_is_refused(source: Path, make_context: MakeContext) -> None:
    (source / "tokenizer.json").write_text('{"model": ')
    with pytest.raises(mlm.DataError, match=r"tokenizer.json is not a JSON object"):
        Folder(path=source).mlm_import(make_context("out"))
    (source / "tokenizer.json").unlink()
    with pytest.raises(mlm.DataError, match=r"source has no tokenizer.json; save the model with its fast tokenizer"):
        Folder(path=source).mlm_import(make_context("out"))


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, (20).to_bytes(8, "little") + b"not json at all....."])
def test_a_file_that_only_claims_to_be_safetensors_is_refused(
    source: Path, make_context: MakeContext, content: bytes
) -> None:
    (source / "model.safetensors").write_bytes(content)

    with pytest.raises(mlm.DataError, match="is no safetensors file"):
        Folder(path=source).mlm_import(make_context("out"))


@pytest.mark.real
def test_a_real_model_is_counted_right(stories: mlm.Model, make_context: MakeContext, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(stories.path, tmp_path / "stories"))
    model = Folder(path=folder).mlm_import(make_context("out"))

    assert model.metadata["parameters"] == 260_032
    assert model.metadata["architecture"] == "LlamaForCausalLM"
