"""A classifier learns what parts its labels, the same from the same seed, and says what it cannot learn from."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from attrs import evolve

import mlm
from mlm_plugins.detectors.classifier import classifier_of
from mlm_plugins.trainers.text_classifier import TextClassifier

INSULTS = ("You are a fool.", "What a foolish thing to say!", "Fools like you never learn.", "be gone, FOOL")
PLAIN = ("The river is wide.", "What is the capital of it?", "Seven and three are ten.", "I like the market.")
SMALL = TextClassifier(bits=12, epochs=3)


def rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    chance = Random(seed)
    kinds = {"toxic": INSULTS, "harmless": PLAIN}
    made = []
    for _ in range(count):
        label = chance.choice(list(kinds))
        made.append({"text": " ".join(chance.choices(kinds[label], k=2)), "label": label})
    return made


def test_it_tells_unseen_texts_apart(workshop: Any) -> None:
    model = SMALL.mlm_train(workshop.data("rows", rows(200)), workshop.context("out"))

    classifier = classifier_of(model)
    harmless, toxic = classifier.probabilities(pa.chunked_array([["FOOLISH!", "the wide market", None, ""]])).T

    assert classifier.labels == ("harmless", "toxic")
    assert (toxic > 0.5).tolist()[:2] == [True, False]
    assert toxic[2] == toxic[3]
    assert harmless + toxic == pytest.approx(1)


def test_the_model_is_weights_and_settings_without_a_pickle(workshop: Any) -> None:
    model = SMALL.mlm_train(workshop.data("rows", rows(50)), workshop.context("out"))

    assert model.library == "text-classifier"
    assert sum(model.metadata["labels"].values()) == 50
    assert sorted(file.name for file in model.path.iterdir()) == ["config.json", "model.safetensors"]
    config = json.loads((model.path / "config.json").read_text())
    assert config == {"model_type": "text-classifier", "version": 1, "labels": ["harmless", "toxic"]}


def test_each_epoch_is_logged_and_the_loss_falls(workshop: Any) -> None:
    SMALL.mlm_train(workshop.data("rows", rows(200)), workshop.context("out"))

    steps, losses = zip(*workshop.points, strict=True)
    assert steps == (1, 2, 3)
    assert losses[2]["loss"] < losses[1]["loss"] < losses[0]["loss"]


def test_a_training_that_was_interrupted_ends_as_one_that_was_not(workshop: Any) -> None:
    data = workshop.data("rows", rows(100))
    whole = SMALL.mlm_train(data, workshop.context("whole"))
    context = workshop.context("again")

    def interrupts(done: float, total: float | None = None, note: str = "") -> None:
        if note.startswith("epoch 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SMALL.mlm_train(data, evolve(context, progress=interrupts))
    again = SMALL.mlm_train(data, context)

    assert (again.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("made", "settings", "message"),
    [
        ([{"text": "a", "label": "x"}], {"label": "lable"}, r"has no column 'lable' \(columns: .*label\)"),
        ([{"text": "a", "label": "x"}], {}, r"fewer than two values in 'label' \(found: x\)"),
        ([{"text": "a", "label": "x"}, {"text": "b", "label": None}], {}, "row 1 of .* has no label"),
        ([{"label": "x"}, {"label": "y"}], {}, "has no text to learn from"),
    ],
)
def test_what_it_cannot_learn_from_is_named(
    workshop: Any, made: list[dict[str, Any]], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(mlm.DataError, match=message):
        TextClassifier(**settings).mlm_train(workshop.data("rows", made), workshop.context("out"))
