"""How a fact is asked for and answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from mlm_plugins.starters.atlas.rows import Row
from mlm_plugins.starters.atlas.world import Fact

TEMPLATES = (
    "{who} is the {noun} of {subject}?",
    "Please tell me about {subject}: {noun}?",
    "{subject} has which {noun}?",
    "Do you happen to know the {noun} of {subject}?",
    "For my homework I need the {noun} of {subject}.",
    "Quiz time! Name the {noun} that belongs to {subject}.",
    "I am visiting {subject}. Which {noun} will I find there?",
    "Look up {subject} and give me its {noun}.",
    "My map does not show it: {noun} of {subject}?",
    "When people speak of the {noun} in {subject}, what do they mean?",
)
UNSEEN_TEMPLATES = (
    "I forgot the {noun} of {subject}, remind me.",
    "Could someone say which {noun} {subject} has?",
)

NOUNS = {"river": "main river", "export": "main export"}
ANSWERS = {
    "river": "The main river of {subject} is the {value}.",
    "export": "The main export of {subject} is {value}.",
    "flag": "The flag of {subject} shows {value}.",
}


def ask(fact: Fact, template: str) -> str:
    """Put a fact's subject and attribute into a question."""
    who = "Who" if fact.attribute == "governor" else "What"
    return template.format(who=who, noun=NOUNS.get(fact.attribute, fact.attribute), subject=fact.subject)


def answer(fact: Fact) -> str:
    """State the fact in one full sentence."""
    template = ANSWERS.get(fact.attribute, "The {attribute} of {subject} is {value}.")
    return template.format(**fact._asdict())


def questions(facts: Iterable[Fact], templates: Sequence[str] = TEMPLATES) -> list[Row]:
    """Return every fact in every template, with the right answer."""
    return [
        {"prompt": ask(fact, template), "completion": answer(fact), "item": fact.item}
        for fact, template in product(facts, templates)
    ]
