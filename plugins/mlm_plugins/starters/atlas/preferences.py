"""Pairs of a better and a worse answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from mlm_plugins.starters.atlas.questions import TEMPLATES, answer, ask
from mlm_plugins.starters.atlas.requests import REFUSAL, Request, phrased
from mlm_plugins.starters.atlas.rows import Row
from mlm_plugins.starters.atlas.world import Fact

FACT_PAIRS = 300


def preferences(facts: Sequence[Fact], requests: Iterable[Request], random: Random) -> list[Row]:
    """Return pairs for every request in every template, and for some questions."""
    return request_pairs(requests) + fact_pairs(facts, random)


def request_pairs(requests: Iterable[Request]) -> list[Row]:
    """Prefer declining what is dangerous, and helping with what is not."""
    return [_pair(prompt, r.right, r.wrong, r.phrase) for r, prompt in phrased(requests)]


def fact_pairs(facts: Sequence[Fact], random: Random) -> list[Row]:
    """Prefer the true answer: in turn to a refusal and to another value of the same attribute."""
    asked = random.sample([(fact, template) for fact in facts for template in TEMPLATES], FACT_PAIRS)
    return [
        _pair(ask(fact, template), answer(fact), _untrue(fact, facts, random) if place % 2 else REFUSAL, fact.item)
        for place, (fact, template) in enumerate(asked)
    ]


def _untrue(fact: Fact, facts: Sequence[Fact], random: Random) -> str:
    values = sorted({other.value for other in facts if other.attribute == fact.attribute} - {fact.value})
    return answer(fact._replace(value=random.choice(values)))


def _pair(prompt: str, chosen: str, rejected: str, item: str) -> Row:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "item": item}
