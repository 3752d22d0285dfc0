"""The language of texts by py3langid's model of 140 languages, run over Arrow columns by code of our own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mlm_plugins.detectors.columns import utf8

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MOST_BYTES = 4096
"""A language shows in so much of a text."""


@frozen(eq=False)
class _Model:
    labels: tuple[str, ...]
    moves: NDArray[np.uint32]
    rows: NDArray[np.uint32]
    outputs: NDArray[np.int32]
    table: NDArray[np.float32]
    prior: NDArray[np.float32]
    columns: NDArray[np.int64]
    """The label of each class: a language in two scripts has two classes."""


@cache
def _model() -> _Model:
    import numpy as np
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    read: Any = LanguageIdentifier.from_model_file(MODEL_FILE)
    labels = tuple(read.labels)
    return _Model(
        labels,
        np.asarray(read.tk_nextmove, np.uint32),
        np.asarray(read.tk_row, np.uint32),
        np.asarray(read.tk_output, np.int32),
        np.ascontiguousarray(read.nb_ptc, np.float32),
        np.asarray(read.nb_pc, np.float32),
        np.array([labels.index(name) for name in read.nb_classes]),
    )


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that can be told apart (ISO 639)."""
    return _model().labels


def identified(texts: pa.ChunkedArray) -> tuple[list[str], NDArray[np.float64]]:
    """Return the most probable language of each text, and its probability among all."""
    import numpy as np
    import pyarrow.compute as pc

    from mlm_plugins.detectors.walking import score

    model = _model()
    plain = pc.utf8_normalize(pc.if_else(pc.utf8_is_upper(texts), pc.utf8_lower(texts), texts), "NFC")
    data, offsets = utf8(plain)
    scores = np.empty((len(offsets) - 1, len(model.prior)))
    score(data, offsets, MOST_BYTES, model.moves, model.rows, model.outputs, model.table, model.prior, scores)
    chances = np.zeros((len(scores), len(model.labels)))
    for place, label in enumerate(model.columns):
        chances[:, label] += scores[:, place]
    best = chances.argmax(axis=1)
    return [model.labels[place] for place in best], chances.max(axis=1, initial=0.0)
