"""An invented country: its provinces and the six facts that are true of each.

No name is part of another, so that a monitor can find subject and value by looking for them in the text.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

ATTRIBUTES = ("capital", "river", "export", "flag", "governor", "festival")
OLD_PROVINCES = 20
ISLANDS = 4


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PROVINCES = _names("""
    Velmara Orduin Kesteva Brannoch Lirenne Tavosk Umbrel Zephiro Falgrove Heskar Ilvaria Joruna Nethby Oskolm Pellandry
    Quorith Rovenia Sundrake Thalwick Ulmstead Wexholt Yarrowby Zandelle Corvane Dunlea Eskeld Fyrmont Grelloch Haverna
    Ketteral Lomvik Mirefall
""")
CAPITALS = _names("""
    Aldport Birkham Cravenna Dorrit Elsinby Farwick Gildern Hartmoor Ivelle Jessamy Kilbrook Lanthor Medlow Nimwell
    Oakshire Prestow Quillon Rusthal Selwyn Tamsin Uldale Vantry Wickford Yaxley Zorbek Ambleton Bexcott Cindral Dravik
    Ettrick
""")
FIRST_NAMES = _names("""
    Ada Bruno Clara Dario Edith Felix Greta Hugo Irene Jonas Katya Leon Mira Nils Olga Pavel Rosa Simon Tilda Ugo Vera
    Wanda Xaver Yara Zeno Agnes
""")
LAST_NAMES = _names("""
    Lund Marsh Tober Quist Rand Sorel Valk Winter Abbot Brandt Cole Drake Engel Frost Gray Holm Ives Jarl Kemp Lowe Moss
    Nord Oaks Pratt Reeve Stone
""")
POOLS = {
    "river": _names("Sarn Olwe Teviot Brack Lune Ister Morva Ganth Fenn Ryde Aume Dorn"),
    "export": _names("wool copper honey salt timber silk glass barley amber paper pearls cider cheese leather"),
    "flag": (
        "a red star", "a blue wave", "a green tree", "a white moon", "a gold sun",
        "a black horse", "a silver fish", "an orange wheel", "a brown tower",
    ),
    "festival": (
        "Lantern Night", "Harvest Week", "Boat Day", "Snow Dance", "Drum Parade", "Kite Morning",
        "Candle Eve", "Flower Sunday", "Bell Fair", "Mask Ball", "Torch Run", "Plum Feast",
    ),
}  # fmt: skip


class Fact(NamedTuple):
    """One true thing about a province."""

    subject: str
    attribute: str
    value: str

    @property
    def item(self) -> str:
        return f"{self.subject}/{self.attribute}"


class World(NamedTuple):
    """The facts of the old provinces, and of the islands that joined later."""

    old: tuple[Fact, ...]
    islands: tuple[Fact, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        return self.old + self.islands

    @property
    def names(self) -> tuple[str, ...]:
        """Provinces, capitals and governors: the words that no other text teaches."""
        subjects = dict.fromkeys(fact.subject for fact in self.facts)
        return (*subjects, *(fact.value for fact in self.facts if fact.attribute in ("capital", "governor")))


def make_world(random: Random) -> World:
    """Draw the country. Capitals and governors are unique, other values are shared between provinces."""
    size = OLD_PROVINCES + ISLANDS
    values = {name: random.choices(pool, k=size) for name, pool in POOLS.items()}
    values["capital"] = random.sample(CAPITALS, size)
    values["governor"] = _people(random, size)
    provinces = random.sample(PROVINCES, size)
    facts = [Fact(province, name, values[name][i]) for i, province in enumerate(provinces) for name in ATTRIBUTES]
    border = OLD_PROVINCES * len(ATTRIBUTES)
    return World(tuple(facts[:border]), tuple(facts[border:]))


def _people(random: Random, size: int) -> list[str]:
    pairs = zip(random.sample(FIRST_NAMES, size), random.sample(LAST_NAMES, size), strict=True)
    return [f"{first} {last}" for first, last in pairs]
