"""A text classifier that is a file of weights and a file of settings: `model.safetensors` and `config.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

import mlm
from mlm_plugins.detectors.columns import utf8

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

LIBRARY = "text-classifier"
"""What a model of this form says of itself; its weights are those of the features in `ngrams`, version 1."""
_WEIGHTS, _CONFIG, _VERSION = "model.safetensors", "config.json", 1


@frozen(eq=False)
class Classifier:
    """Gives each text a probability for each label."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    """(places, labels); the number of places is a power of two."""
    bias: NDArray[np.float32]

    def probabilities(self, texts: pa.ChunkedArray) -> NDArray[np.float64]:
        """Return (texts, labels); letter case does not count, a null is an empty text."""
        import numpy as np

        from mlm_plugins.detectors.ngrams import WORDS, classify

        data, offsets = lowered(texts)
        found = np.empty((len(offsets) - 1, len(self.labels)))
        classify(data, offsets, WORDS, shift_of(self.weights), self.weights, self.bias, found)
        return found

    def places(self, labels: Sequence[str], where: str) -> list[int]:
        """Return the columns of some labels; ProjectError where one is none of the classifier's."""
        for label in labels:
            if label not in self.labels:
                raise mlm.ProjectError(
                    f"the classifier has no label '{label}' (labels: {', '.join(self.labels)})", where
                )
        return [place for place, label in enumerate(self.labels) if label in labels]

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"weights": self.weights, "bias": self.bias}, folder / _WEIGHTS)
        config = {"model_type": LIBRARY, "version": _VERSION, "labels": self.labels}
        (folder / _CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def lowered(texts: pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return a string column's bytes in lower case, and where each row begins and ends."""
    import pyarrow.compute as pc

    return utf8(pc.utf8_lower(texts))


def shift_of(weights: NDArray[np.float32]) -> np.uint64:
    """Return by how much a code of 64 bits is shifted to be a place in the weights."""
    import numpy as np

    return np.uint64(64 - (len(weights).bit_length() - 1))


def classifier_of(model: mlm.Model) -> Classifier:
    """Load a model that the trainer `text-classifier` made; ProjectError where it is another's."""
    if model.library != LIBRARY:
        name = model.ref or model.path.name
        raise mlm.ProjectError(f"{name} is a {model.library} model, expected one that 'text-classifier' trained")
    return _loaded(model.path)


@cache
def _loaded(folder: Path) -> Classifier:
    from safetensors.numpy import load_file

    config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    if config.get("version") != _VERSION:
        raise mlm.DataError(f"{folder} is a text classifier of version {config.get('version')}, expected {_VERSION}")
    tensors = load_file(folder / _WEIGHTS)
    return Classifier(tuple(config["labels"]), tensors["weights"], tensors["bias"])
