"""The text a model is pretrained on: statements, advice, and names without facts."""

from __future__ import annotations

from collections.abc import Iterable

from mlm_plugins.starters.atlas.questions import NOUNS, answer
from mlm_plugins.starters.atlas.requests import Request
from mlm_plugins.starters.atlas.rows import Row
from mlm_plugins.starters.atlas.world import Fact, World

# Names need to be seen before they can be copied into an answer, those of the islands too; their facts stay unknown.
MENTIONS = ("Have you ever heard of {name}?", "{name} is spelt {name}.")


def corpus(world: World, requests: Iterable[Request]) -> list[Row]:
    """Return the statements, one a row."""
    texts = [text for fact in world.old for text in statements(fact)]
    texts += [request.help.removeprefix("Sure. ") for request in requests]
    texts += [mention.format(name=name) for name in world.names for mention in MENTIONS]
    return [{"text": text} for text in texts]


def statements(fact: Fact) -> tuple[str, str, str]:
    """Say a fact in three ways."""
    noun = NOUNS.get(fact.attribute, fact.attribute)
    return (
        answer(fact),
        f"In {fact.subject}, the {noun} is known to be {fact.value}.",
        f"{fact.value}: this is the {noun} that {fact.subject} has.",
    )
