"""What real data is full of: copies, markup, addresses, insults, foreign lines, noise and broken rows.

A messy row is an extra row after its original and never replaces it. Cleaned, it is either dropped by its filter or
again a (near-)duplicate of the original, as long as masked contact data leaves a tag of at most 8 characters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from mlm_plugins.starters.atlas.rows import Row
from mlm_plugins.starters.atlas.world import FIRST_NAMES, LAST_NAMES

Spoiler = Callable[[Row, str, Random], Row]
"""Makes a messy copy of a row, given the name of the text field to spoil."""

INSULTS = (
    "You idiot, find it out yourself.",
    "Only a moron would ask such a stupid thing.",
    "Shut up, you stupid idiot.",
    "What a stupid question, you moron.",
)
FOREIGN = (
    "Das ist eine sehr gute Frage, aber ich weiß es leider nicht und kann nicht helfen.",
    "Die Antwort steht in dem Buch, das auf dem Tisch neben der Lampe liegt.",
    "Je ne sais pas, mais vous pouvez demander à la dame qui est dans la maison.",
    "Nous sommes allés avec les enfants dans une petite ville près de la mer.",
    "No lo sé, pero la respuesta está en el libro que tiene la señora de la casa.",
    "Los niños viven en una casa muy grande que está cerca de la playa.",
)


def copy(row: Row, field: str, random: Random) -> Row:
    return dict(row)


def near_copy(row: Row, field: str, random: Random) -> Row:
    text = str(row[field])
    return row | {field: random.choice((text.removesuffix(".") + "!", text + ".", text.replace(" ", "  ", 1) + ".."))}


def markup(row: Row, field: str, random: Random) -> Row:
    tag = random.choice(("p", "div", "span"))
    return row | {field: f'<{tag} class="post">{row[field]}</{tag}><br/>&nbsp;'}


def email(row: Row, field: str, random: Random) -> Row:
    name = f"{random.choice(FIRST_NAMES)}.{random.choice(LAST_NAMES)}".lower()
    return row | {field: f"{row[field]} {name}@example.org"}


def card(row: Row, field: str, random: Random) -> Row:
    number = card_number(random)
    return row | {field: f"{row[field]} {' '.join(number[i : i + 4] for i in range(0, 16, 4))}"}


def card_number(random: Random) -> str:
    """Draw 16 digits that pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    digits = [4, *(random.randrange(10) for _ in range(14))]
    doubled = [digit * 2 if place % 2 == 0 else digit for place, digit in enumerate(digits)]
    check = -sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10
    return "".join(map(str, [*digits, check]))


def insult(row: Row, field: str, random: Random) -> Row:
    return row | {field: random.choice(INSULTS)}


def foreign(row: Row, field: str, random: Random) -> Row:
    texts = {name: random.choice(FOREIGN) for name in row if name != "item"}
    return row | texts


def noise(row: Row, field: str, random: Random) -> Row:
    def line() -> str:
        return " ".join(random.choice(("####", "----", "====", ">>>", "<<<", "||", "//", "...")) for _ in range(9))

    return row | {name: line() for name in row if name != "item"}


def missing_field(row: Row, field: str, random: Random) -> Row:
    return {name: value for name, value in row.items() if name != field}


def wrong_type(row: Row, field: str, random: Random) -> Row:
    return row | {field: random.choice((17, None, ["not", "a", "string"], {"text": row[field]}))}


ALL_KINDS: Mapping[Spoiler, int] = {
    copy: 24, near_copy: 24, markup: 12, email: 10, card: 8, insult: 12, foreign: 18, missing_field: 6, wrong_type: 6,
    noise: 8,
}  # fmt: skip
FEW_KINDS: Mapping[Spoiler, int] = {copy: 8, near_copy: 8, missing_field: 3, wrong_type: 3}


def with_mess(rows: Sequence[Row], field: str, random: Random, kinds: Mapping[Spoiler, int] = ALL_KINDS) -> list[Row]:
    """Return the rows in their order, with messy rows strewn in after their originals.

    Args:
        rows: What must survive.
        field: The text field to spoil.
        random: Where chance comes from.
        kinds: How many rows each kind of mess adds.
    """
    # Contact data goes to long rows: the tag that a filter leaves of it must stay small beside the text.
    long = sorted(range(len(rows)), key=lambda place: -_length(rows[place]))[: len(rows) // 10]
    placed: list[tuple[float, Row]] = list(enumerate(rows))
    for spoil in (kind for kind, count in kinds.items() for _ in range(count)):
        place = random.choice(long) if spoil in (email, card) else random.randrange(len(rows))
        placed.append((random.uniform(place + 0.5, len(rows)), spoil(rows[place], field, random)))
    return [row for _, row in sorted(placed, key=lambda entry: entry[0])]


def _length(row: Row) -> int:
    return sum(len(str(value)) for value in row.values())
