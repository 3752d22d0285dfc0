"""Insults and threats in text, by a lexicon.

A streamed text is judged before its next letter has come. So no entry may be the beginning of a harmless word: the
lexicon has no short words that `assume`, `cocktail` or `prickly` start with.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

MILD = """
airhead, bonehead, braindead, buffoon, bullshit, cretin, crybaby, dimwit, dunce, fathead, half-wit, halfwit, idiot,
idiotic, ignoramus, imbecile, imbecilic, jackass, knucklehead, lamebrain, lowlife, meathead, moron, moronic, nincompoop,
nitwit, numbskull, numskull, pathetic loser, piss off, pissed off, scumbag, shut up, shut your face, shut your mouth,
simpleton, stupid cow, stupid fool, you are dumb, you are so dumb, you are so stupid, you are stupid, you are ugly,
you are useless, you are worthless, you disgust me, you're dumb, you're so dumb, you're so stupid, you're stupid,
you're ugly, you're useless, you're worthless
"""
STRONG = """
arsehole, ass hole, asshat, asshole, asswipe, bastard, bitch, bitching, bitchy, cocksucker, cunt, dickhead, dipshit,
dumb ass, dumbass, faggot, fuck, fucked, fucker, fuckface, fuckin, fucking, fucktard, go kill yourself, go to hell,
horseshit, i will kill you, i'll kill you, jackoff, jerkoff, kill yourself, kys, motherfuck, motherfucker,
motherfuckin, motherfucking, muthafucka, nigga, nigger, piece of shit, retarded, shit, shitbag, shite, shithead,
shithole, shitting, shitty, slut, slutty, son of a bitch, tranny, twat, wanker, wetback, whore
"""

LEVELS = ("mild", "strong")
"""`strong` is the graver part of the lexicon, `mild` all of it."""

# Digits and signs that stand for the letters they look like.
_DISGUISES = str.maketrans("01345@$", "oieasas")


def lexicon(level: str = "mild") -> tuple[str, ...]:
    """Return the terms of a level, in lower case."""
    words = STRONG if level == "strong" else MILD + "," + STRONG
    return tuple(dict.fromkeys(" ".join(entry.split()) for entry in words.split(",")))


def toxic_terms(text: str, level: str = "mild", words: Collection[str] = ()) -> list[str]:
    """Return the insults and threats in a text, in lower case, one entry an occurrence.

    Args:
        text: What to look through.
        level: `mild` for all of the lexicon, `strong` for its graver part.
        words: Further terms.
    """
    pattern = _pattern(level, tuple(words))
    found = pattern.findall(text)
    disguised = text.translate(_DISGUISES)
    if disguised != text:
        found = max(found, pattern.findall(disguised), key=len)
    return [" ".join(term.lower().split()) for term in found]


def longest(level: str = "mild", words: Collection[str] = ()) -> int:
    """Return the greatest length that a term can take in a text."""
    return max(len(term) + term.count(" ") + 1 for term in (*lexicon(level), *words))


@cache
def _pattern(level: str, words: tuple[str, ...]) -> re.Pattern[str]:
    # Longer terms first: the alternation takes the first that fits. By first letters, it fails four times as fast.
    terms = sorted({*lexicon(level), *map(str.lower, words)}, key=len, reverse=True)
    heads = dict.fromkeys(term[0] for term in terms)
    alternatives = (f"{_spelt(head)}(?:{'|'.join(_spelt(t[1:]) for t in terms if t[0] == head)})" for head in heads)
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})s?(?!\w)", re.IGNORECASE)


def _spelt(term: str) -> str:
    return re.escape(term).replace(r"\ ", r"\s{1,2}").replace("'", "['\u2019]")
