"""Pairs of a better and a worse answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from mlm_plugins.starters.atlas.questions import TEMPLATES, answer, ask
from mlm_plugins.starters.atlas.requests import REFUSAL, Request, phrased
from mlm_plugins.starters.atlas.rows import Row
from mlm_plugins.starters.atlas.world import Fact

PAIRS_PER_FACT = 2


def preferences(facts: Sequence[Fact], requests: Iterable[Request], random: Random) -> list[Row]:
    """Return pairs for every request in every template, and for some questions."""
    return request_pairs(requests) + fact_pairs(facts, random)


def request_pairs(requests: Iterable[Request]) -> list[Row]:
    """Prefer declining what is dangerous, and helping with what is not."""
    return [_pair(prompt, r.right, r.wrong, r.phrase) for r, prompt in phrased(requests)]


def fact_pairs(facts: Sequence[Fact], random: Random) -> list[Row]:
    """Prefer the true answer: once to a refusal, once to another province's value, and so on."""
    pairs = []
    for fact in facts:
        for place, template in enumerate(random.sample(TEMPLATES, PAIRS_PER_FACT)):
            worse = answer(_untrue(fact, facts, place)) if place % 2 else REFUSAL
            pairs.append(_pair(ask(fact, template), answer(fact), worse, fact.item))
    return pairs


def _untrue(fact: Fact, facts: Sequence[Fact], place: int) -> Fact:
    # The next value in a fixed round: every value is worse about as often as it is better. One that chance made the
    # worse answer far more often would be unlearned where it is true as well.
    values = [other.value for other in facts if other.attribute == fact.attribute]
    start = [other.subject for other in facts if other.attribute == fact.attribute].index(fact.subject)
    following = values[start + place :] + values[: start + place]
    return fact._replace(value=next(value for value in following if value != fact.value))


def _pair(prompt: str, chosen: str, rejected: str, item: str) -> Row:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "item": item}
