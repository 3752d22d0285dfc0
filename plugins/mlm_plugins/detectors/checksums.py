"""Checks that tell a real card or account number from any other digits."""

from __future__ import annotations

_IBAN_LENGTHS = """
15 NO  16 BE  18 DK FI FO GL NL SD  19 MK SI  20 AT BA EE KZ LT LU XK  21 CH CR HR LI LV
22 BG BH DE GB GE IE ME RS VA  23 AE GI IL IQ OM TL  24 AD CZ ES MD PK RO SA SE SK TN VG  25 LY PT ST
26 IS TR  27 BI DJ FR GR IT MC MR SM  28 AL AZ BY CY DO GT HU LB NI PL SV  29 BR EG PS QA UA
30 JO KW MU YE  31 MT SC  32 LC  33 RU
"""


def _lengths(table: str) -> dict[str, int]:
    lengths, length = {}, 0
    for word in table.split():
        if word.isdigit():
            length = int(word)
        else:
            lengths[word] = length
    return lengths


IBAN_LENGTHS = _lengths(_IBAN_LENGTHS)
"""Length of an account number by country (SWIFT, IBAN registry)."""


def luhn(digits: str) -> bool:
    """Return whether digits pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    values = list(map(int, reversed(digits)))
    return (sum(values[::2]) + sum(map(_DOUBLED.__getitem__, values[1::2]))) % 10 == 0


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""The sum of the digits of twice a digit."""


def iban(characters: str) -> bool:
    """Return whether an account number without spaces passes the mod 97 check (ISO 13616-1)."""
    moved = characters[4:] + characters[:4]
    return int("".join(map(_DIGITS.__getitem__, moved))) % 97 == 1


_DIGITS = {character: str(value) for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
