"""Base models from a folder on this machine."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define

import mlm
from mlm_plugins.models.safetensors import count_parameters

PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"}
"""Endings of weight files that run code when they are read."""
KEPT = {".safetensors", ".json", ".jinja", ".txt", ".model", ".md"}
"""Endings of what belongs to a model: weights, configuration, tokenizer, and its own words (card, licence)."""
LICENCES = {"LICENSE", "LICENCE", "NOTICE"}


@define(kw_only=True)
class Folder:
    """Import a base model from a Hugging Face folder with safetensors weights."""

    path: Path = mlm.setting(help="folder with config.json and *.safetensors")
    chat_template: Path | None = mlm.setting(
        None, help="Jinja file that turns messages into one text; without it, the template that the folder has"
    )
    license: str = mlm.setting("", help="SPDX id of the weights' licence; the card's own where it is silent")

    @mlm.hookimpl
    def mlm_import(self, context: mlm.Context) -> mlm.Model:
        """Copy the model's files; refuse what would run code."""
        config = _json(self.path / "config.json", "path must name a Hugging Face model folder")
        _json(self.path / "tokenizer.json", "save the model with its fast tokenizer")
        _refuse_code(self.path, config)
        parameters = sum(map(count_parameters, _weights(self.path)))
        context.folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.path.iterdir()):
            if file.is_file() and (file.suffix in KEPT or file.name in LICENCES):
                shutil.copyfile(file, context.folder / file.name)
        if self.chat_template:
            shutil.copyfile(self.chat_template, context.folder / "chat_template.jinja")
        metadata = {
            "architecture": (config.get("architectures") or [config.get("model_type", "")])[0],
            "parameters": parameters,
            "license": self.license or _card_license(self.path),
        }
        return mlm.Model(context.folder, metadata=metadata)


def _json(file: Path, remedy: str) -> dict[str, Any]:
    if not file.is_file():
        raise mlm.DataError(f"{file.parent} has no {file.name}; {remedy}")
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise mlm.DataError(f"{file} is not a JSON object: {error}") from error


def _card_license(folder: Path) -> str:
    """Return `license` of the YAML head of the folder's README.md."""
    card = folder / "README.md"
    head = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8"), re.DOTALL) if card.is_file() else None
    named = re.search(r"^license:\s*(\S+)", head[1], re.MULTILINE) if head else None
    return named[1].strip("\"'") if named else ""


def _weights(folder: Path) -> list[Path]:
    """Return the files of weights; DataError where there is none, or not every part."""
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise mlm.DataError(f"{folder} holds no *.safetensors; save the weights with save_pretrained")
    index = folder / "model.safetensors.index.json"
    parts = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values() if index.is_file() else ()
    if missing := sorted(set(parts) - {file.name for file in found}):
        raise mlm.DataError(f"{folder} lacks {missing[0]}, which {index.name} names: copy or download it again")
    return found


def _refuse_code(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise DataError for pickled weights and for models that bring their own Python."""
    pickles = sorted(file.name for file in folder.iterdir() if file.suffix in PICKLES)
    if pickles:
        raise mlm.DataError(
            f"{folder} holds {pickles[0]}, which can run code when read; convert it to safetensors and remove it"
        )
    tokenizer = folder / "tokenizer_config.json"
    configs = {
        "config.json": config,
        "tokenizer_config.json": json.loads(tokenizer.read_text("utf-8")) if tokenizer.is_file() else {},
    }
    for name, values in configs.items():
        if "auto_map" in values:
            raise mlm.DataError(
                f"{folder / name} has auto_map: the model needs its own Python code, which mlm never runs"
            )
